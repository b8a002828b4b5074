//! Each bit of a sealed log is flipped, one after another: the verifier detects each of them.

use std::fs;
use std::path::Path;

use tracing_handlers::Output;
use tracing_handlers::handler::Handler as _;
use tracing_handlers::rotation::Rotation;
use tracing_handlers::seal::{Key, Seal, Verifier};
use tracing_handlers::sink::File;

use super::Plan;
use super::lines::{Form, Number};
use super::place::in_directory;
use super::random::Random;

pub fn run(plan: Plan) -> Result<String, String> {
    let (mut bits, mut files) = (0, 0);
    for run in 0..plan.runs {
        let seed = plan.seed.wrapping_add(run);
        let found = in_directory(|directory| of_a_log(&directory.join("app.log"), seed));
        let found = found.map_err(|failed| format!("run {run} (seed {seed}): {failed}"))?;
        bits += found.0;
        files += found.1;
    }
    Ok(format!("flips: {} sealed logs in {files} files, {bits} bits flipped one by one, {bits} detected", plan.runs))
}

/// How many bits, in how many files.
fn of_a_log(path: &Path, seed: u64) -> Result<(u64, u64), String> {
    let mut random = Random::of(seed, 0);
    let key = Key::from_bytes(std::array::from_fn(|_| random.next() as u8));
    write(path, &key, seed, &mut random)?;
    let directory = path.parent().unwrap_or(path);
    let entries = fs::read_dir(directory).map_err(|error| error.to_string())?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|file| file.is_file());
    // Not its lock file.
    let files: Vec<_> = files.filter(|file| !file.to_string_lossy().ends_with(".lock")).collect();
    // Named one by one: an oldest file that no longer says which log it is of would pass for one that was removed.
    let verify = || Verifier::new(&key).files(&files);
    let whole = verify().map_err(|wrong| format!("nothing was changed, and yet: {wrong}"))?;
    let mut bits = 0;
    for file in &files {
        let genuine = fs::read(file).map_err(|error| error.to_string())?;
        for bit in 0..genuine.len() * 8 {
            let mut changed = genuine.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(file, changed).map_err(|error| error.to_string())?;
            if verify().is_ok() {
                return Err(format!("bit {bit} of {} was flipped, and not detected", file.display()));
            }
            bits += 1;
        }
        fs::write(file, genuine).map_err(|error| error.to_string())?;
    }
    match verify() {
        Ok(again) if again == whole => Ok((bits, files.len() as u64)),
        again => Err(format!("all was put back, and yet: {again:?}")),
    }
}

fn write(path: &Path, key: &Key, seed: u64, random: &mut Random) -> Result<(), String> {
    let form = random.pick(&[Form::Text, Form::Json]);
    let rotation = Rotation::size(400 + random.below(1_000)).keep(100);
    let seal = Seal::new(key.clone()).every(1 + random.below(4));
    let file = File::options().rotation(rotation).seal(seal).open(path).map_err(|error| format!("{error:#}"))?;
    let output = Output::new(form.format(), file);
    for number in 0..2 + random.below(6) {
        let line = Number { run: seed, thread: 0, number };
        output.handle(&line.record().as_record()).map_err(|error| format!("{error:#}"))?;
    }
    Ok(())
}
