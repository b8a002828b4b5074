//! tracing-handlers beside other loggers, and beside what the machine allows. See `README.md` here.

mod check;
mod child;
mod cli;
mod contender;
mod event;
mod line;
mod measure;
mod plot;
mod run;
mod scenario;
mod table;

use std::path::Path;
use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(Command::Help) => print!("{}", cli::HELP),
        Ok(Command::List) => list(),
        Ok(Command::Child { contender, job, amount }) => run::print(&child::run(&contender, &job, amount)),
        Ok(Command::Run { plan, markdown, svg }) => return measure(&plan, markdown.as_deref(), svg.as_deref()),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn list() {
    for scenario in scenario::all() {
        let serves = |contender: &contender::Contender| {
            contender::sinks(contender, &scenario)
                .into_iter()
                .any(|sink| (contender.serves)(&scenario::Scenario { sink, ..scenario }))
        };
        let names: Vec<&str> = contender::all().iter().filter(|one| serves(one)).map(|one| one.name).collect();
        println!("{:<9} {} [{}]", scenario.name, scenario.title, names.join(" "));
    }
}

fn measure(plan: &run::Plan, markdown: Option<&Path>, svg: Option<&Path>) -> ExitCode {
    let mut outcomes = Vec::new();
    for scenario in &plan.scenarios {
        let outcome = plan.run(scenario);
        if !plan.amount.quick {
            println!("{}", table::scenario(&outcome));
        }
        outcomes.push(outcome);
    }
    let mut all = table::summary(&outcomes);
    if !plan.amount.quick {
        println!("{all}");
    }
    for outcome in &outcomes {
        all += &format!("\n{}", table::scenario(outcome));
    }
    if let Some(path) = markdown {
        std::fs::write(path, all).expect("the table can be written");
    }
    if let Some(path) = svg {
        std::fs::write(path, plot::svg(&outcomes)).expect("the picture can be written");
    }
    let rows = || outcomes.iter().flat_map(|outcome| &outcome.rows);
    let failures = rows().filter(|row| row.failure.is_some()).count();
    println!("{} of {} runs wrote what they should", rows().count() - failures, rows().count());
    ExitCode::from(u8::from(failures > 0))
}
