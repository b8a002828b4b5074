//! The owner and permissions of log files, and protection against links planted by other users. Python leaves the former to the umask
//! and a custom handler class ("Customizing handlers with dictConfig": `owned_file_handler`); log4j2 has `filePermissions`,
//! `fileOwner` and `fileGroup`.

use std::fs;

use tracing_handlers::{Error, sink::File};

use crate::Recipe;

pub const RECIPE: Recipe = Recipe { name: "owner", about: "owners and permissions of log files", make, shows: SHOWS };

fn make() -> String {
    run().unwrap_or_else(|error| format!("{error:#}"))
}

fn run() -> Result<String, Error> {
    let directory = tempfile::tempdir()?;
    // A service that starts as root would also set `.owner("shop").group("adm")`.
    let path = directory.path().join("logs/app.log");
    File::options().mode(0o640).dir_mode(0o750).open(&path)?;
    let unknown = File::options().owner("no such user").open(&path).unwrap_err();
    Ok(format!("app.log: {}\n{unknown}\n{}", mode(&path)?, refused(directory.path())?))
}

/// In a directory that all users can write to, such as `/tmp`, a link may be a trap.
fn refused(directory: &std::path::Path) -> Result<String, Error> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fs::set_permissions(directory, fs::Permissions::from_mode(0o1777))?;
    symlink("/etc/passwd", directory.join("link.log"))?;
    let refused = format!("{:#}", File::open(directory.join("link.log")).unwrap_err());
    Ok(refused.split_once(": ").map_or(String::new(), |(_, why)| why.to_owned()))
}

fn mode(path: &std::path::Path) -> Result<String, Error> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(format!("{:o}", fs::metadata(path)?.permissions().mode() & 0o7777))
}

const SHOWS: &str = "
app.log: 640
there is no user \"no such user\"
it is a symbolic link, and others can write to its directory (`follow_links(true)` allows it)
";
