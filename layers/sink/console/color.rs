use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use crate::clock::words::one_of;
use crate::{Error, ErrorKind};

/// Whether a [`Console`](super::Console) allows color.
///
/// As text it is `auto`, `always` or `never`, as in `ls --color`, in upper or lower case when parsed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Color {
    /// Decides by the environment. The first rule that applies decides; an empty variable counts as unset:
    ///
    /// 1. `NO_COLOR` is set (<https://no-color.org>): no color;
    /// 2. `FORCE_COLOR` (<https://force-color.org>) is set and neither `0` nor `false`, or `CLICOLOR_FORCE`
    ///    (<https://bixense.com/clicolors>) is set and not `0`: color;
    /// 3. `FORCE_COLOR` is `0` or `false`, which Node.js takes for no color, `CLICOLOR` is `0`, or `TERM` is `dumb`: no color;
    /// 4. otherwise: color if the stream is a terminal. A split console decides for each of its streams.
    #[default]
    Auto,
    /// Always allows color.
    Always,
    /// Never allows color.
    Never,
}

impl Color {
    pub(in crate::sink) fn is_wanted(self, terminal: bool) -> bool {
        match self {
            Self::Auto => shown(terminal, |name| std::env::var_os(name)),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

impl FromStr for Color {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let all = [Self::Auto, Self::Always, Self::Never];
        one_of(all, text).ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("unknown color setting `{text}`: expected auto, always or never"))
        })
    }
}

fn shown(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    let has = |name, values: &[&str]| set(name).is_some_and(|value| values.iter().any(|is| value == *is));
    let force_is_off = has("FORCE_COLOR", &["0", "false"]);
    if set("FORCE_COLOR").is_some() && !force_is_off || set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && !force_is_off && !has("CLICOLOR", &["0"]) && !has("TERM", &["dumb"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(terminal: bool, variables: &[(&str, &str)]) -> bool {
        shown(terminal, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn it_is_parsed_from_what_it_shows() {
        for color in [Color::Auto, Color::Always, Color::Never] {
            assert_eq!(color.to_string().to_uppercase().parse::<Color>().unwrap(), color);
        }
        assert_eq!("on".parse::<Color>().unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn without_variables_the_terminal_decides() {
        assert!(with(true, &[]));
        assert!(!with(false, &[]));
    }

    #[test]
    fn no_color_wins_over_everything_unless_it_is_empty() {
        assert!(!with(true, &[("NO_COLOR", "1")]));
        assert!(!with(true, &[("NO_COLOR", "0"), ("CLICOLOR_FORCE", "1")]));
        assert!(with(true, &[("NO_COLOR", "")]));
    }

    #[test]
    fn clicolor_force_colors_a_pipe_unless_it_is_0() {
        assert!(with(false, &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")]));
        assert!(!with(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!with(false, &[("CLICOLOR_FORCE", "")]));
    }

    #[test]
    fn force_color_colors_a_pipe_and_0_takes_the_color_of_a_terminal() {
        for value in ["1", "3", "true", "yes"] {
            assert!(with(false, &[("FORCE_COLOR", value), ("TERM", "dumb"), ("CLICOLOR", "0")]), "{value}");
            assert!(!with(true, &[("FORCE_COLOR", value), ("NO_COLOR", "1")]), "{value}");
            assert!(with(false, &[("FORCE_COLOR", value), ("CLICOLOR_FORCE", "0")]), "{value}");
        }
        for value in ["0", "false"] {
            assert!(!with(true, &[("FORCE_COLOR", value)]), "{value}");
            assert!(with(false, &[("FORCE_COLOR", value), ("CLICOLOR_FORCE", "1")]), "{value}");
        }
        assert!(with(true, &[("FORCE_COLOR", "")]));
        assert!(!with(false, &[("FORCE_COLOR", "")]));
    }

    #[test]
    fn a_dumb_terminal_and_clicolor_0_have_no_colors() {
        assert!(!with(true, &[("TERM", "dumb")]));
        assert!(!with(true, &[("CLICOLOR", "0")]));
        assert!(with(true, &[("TERM", "xterm-256color"), ("CLICOLOR", "1")]));
    }
}
