//! Sealed families and encrypted files that were tampered with. `verify` says that a log is genuine only if each line that a reader
//! shows was written, and is shown once; of an encrypted file only what was written is read, from its beginning on; and neither
//! needs much memory, whatever the files hold.

mod bombs;
mod bytes;
mod encrypted;
mod sealed;

use std::path::Path;

use super::Plan;
use super::place::in_directory;
use super::random::Random;

pub use bombs::child;

pub fn run(plan: Plan) -> Result<String, String> {
    let (mut sealed, mut encrypted, mut runs) = (sealed::Figures::default(), encrypted::Figures::default(), 0);
    while runs < plan.runs {
        let some = RUNS_OF_A_LOG.min(plan.runs - runs);
        // A seed repeats all runs of a log.
        let seed = plan.seed.wrapping_add(runs);
        in_directory(|directory| {
            let mut random = Random::of(seed, 3);
            let (log, file) =
                (sealed::World::new(directory, &mut random)?, encrypted::World::new(directory, &mut random)?);
            for run in 0..some {
                let failed = |failed| format!("run {run} of seed {seed}: {failed}");
                match random.chance(1, 3) {
                    true => file.run(&mut random, &mut encrypted).map_err(failed)?,
                    false => log.run(&mut random, &mut sealed).map_err(failed)?,
                }
            }
            Ok(())
        })?;
        runs += some;
    }
    let peak = in_directory(|directory| bombs::run(directory, plan))?;
    Ok(format!("corrupt: {sealed}; {encrypted}; {peak}"))
}

/// The name of the log in its directory.
fn log(directory: &Path) -> std::path::PathBuf {
    directory.join("app.log")
}

/// How often the files of one log are tampered with.
const RUNS_OF_A_LOG: u64 = 200;
