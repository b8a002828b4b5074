//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::child::Amount;
use crate::contender::{self, Job};
use crate::run::Plan;
use crate::scenario::{self, Scenario, Sink};

pub enum Command {
    Help,
    List,
    Run {
        plan: Plan,
        markdown: Option<PathBuf>,
        svg: Option<PathBuf>,
    },
    /// What a run starts, for each measurement.
    Child {
        contender: String,
        job: Job,
        amount: Amount,
    },
}

pub const HELP: &str = "\
compare: tracing-handlers beside other loggers, and beside what the machine allows

  --scenario s1,s2     these only (also: latency)      default: all
  --contender ours,ts  these, and the base             default: all
  --rounds N           interleaved rounds              default: 5
  --events N           timed events per thread         default: what takes 0.4 s
  --quick              few events, one round: checks that everyone writes what he should
  --dir PATH           where logs are written          default: beside this program
  --markdown FILE      all tables
  --svg FILE           the summary as a picture
  --list               scenarios and their contenders
";

pub fn parse() -> Result<Command, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let mut plan = Plan {
        scenarios: scenario::all(),
        contenders: None,
        rounds: 5,
        amount: Amount { events: 0, quick: false },
        dir: std::env::current_exe().ok().and_then(|path| Some(path.parent()?.to_owned())).unwrap_or_default(),
    };
    let (mut markdown, mut svg) = (None, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("scenario") => plan.scenarios = scenarios(&parser.value()?.string()?)?,
            Long("contender") => plan.contenders = Some(contenders(&parser.value()?.string()?)?),
            Long("rounds") => plan.rounds = parser.value()?.parse()?,
            Long("events") => plan.amount.events = parser.value()?.parse()?,
            Long("quick") => (plan.amount.quick, plan.rounds) = (true, 1),
            Long("dir") => plan.dir = parser.value()?.into(),
            Long("markdown") => markdown = Some(parser.value()?.into()),
            Long("svg") => svg = Some(parser.value()?.into()),
            Long("list") => return Ok(Command::List),
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("child") => return child(&mut parser),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Run { plan, markdown, svg })
}

fn scenarios(names: &str) -> Result<Vec<Scenario>, lexopt::Error> {
    let mut all = Vec::new();
    for name in names.split(',') {
        let meant = scenario::named(name);
        if meant.is_empty() {
            return Err(format!("no scenario is called {name}: see --list").into());
        }
        all.extend(meant);
    }
    Ok(all)
}

fn contenders(names: &str) -> Result<Vec<String>, lexopt::Error> {
    match names.split(',').find(|name| contender::named(name).is_none()) {
        Some(unknown) => Err(format!("no contender is called {unknown}: see --list").into()),
        None => Ok(names.split(',').map(str::to_owned).collect()),
    }
}

/// `--child CONTENDER SCENARIO SINK EVENTS QUICK DIR`
fn child(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let contender = parser.value()?.string()?;
    let scenario = scenarios(&parser.value()?.string()?)?[0];
    let sink = Sink::named(&parser.value()?.string()?).ok_or("no such sink")?;
    let amount = Amount { events: parser.value()?.parse()?, quick: parser.value()?.parse()? };
    let job = Job { scenario: Scenario { sink, ..scenario }, dir: parser.value()?.into() };
    Ok(Command::Child { contender, job, amount })
}
