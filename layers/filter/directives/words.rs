//! The words for levels.

use super::text::Piece;
use crate::filter::{LevelFilter, Threshold};
use crate::{Error, Severity};

/// Returns the level that a word stands for: the name of a severity, `off`, or one of tracing's numbers, 0 (off) to 5 (trace).
pub(super) fn level(word: &str) -> Option<Threshold> {
    match word.parse::<usize>() {
        Ok(number) => NUMBERS.get(number).map(|level| Threshold::from(*level)),
        Err(_) if word.eq_ignore_ascii_case("off") => Some(Threshold::OFF),
        Err(_) => Severity::named(word).map(Threshold::from),
    }
}

/// Reads the level of a directive.
pub(super) fn parse(piece: Piece<'_>) -> Result<Threshold, Error> {
    let word = piece.text();
    level(word).ok_or_else(|| match (word.parse::<u64>(), similar(word)) {
        (Ok(number), _) => piece.error(&wrong_number(number)),
        (_, Some(meant)) => piece.error(&format!("expected a level, did you mean `{meant}`?")),
        _ => piece.error("expected a level: `off`, `error`, `warn`, `info`, `debug`, `trace` or another severity"),
    })
}

/// What is wrong with a number that is not a level.
pub(super) fn wrong_number(number: u64) -> String {
    let python = match number {
        10 | 20 | 30 | 40 | 50 => {
            let name = Severity::from_python(number as u32).name().to_ascii_lowercase();
            format!("; Python's {number} is `{name}`")
        }
        _ => String::new(),
    };
    format!("a number must be between 0 (`off`) and 5 (`trace`){python}")
}

/// Returns the level that a word probably stands for although it is misspelled.
pub(super) fn similar(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    COMMON.into_iter().find(|known| is_one_slip(&word, known))
}

/// Shows a level as tracing does: `off`, `info`, `notice`.
pub(super) fn shown(level: Threshold) -> String {
    level.to_string().to_ascii_lowercase()
}

/// Whether the words differ by one character that is wrong, missing or superfluous, or by two that have changed places.
fn is_one_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (one.chars().collect(), other.chars().collect());
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    match (one, other) {
        ([], []) => false,
        ([a, b, one @ ..], [c, d, other @ ..]) if (a, b) == (d, c) && one == other => true,
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        (one, [_, other @ ..]) if one == other => true,
        ([_, one @ ..], other) => one == other,
        _ => false,
    }
}

const NUMBERS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

/// The levels that are written most.
const COMMON: [&str; 8] = ["error", "warn", "warning", "info", "debug", "trace", "notice", "critical"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_one_slip_is_recognized() {
        for (word, meant) in
            [("wran", "warn"), ("inf", "info"), ("INFOO", "info"), ("debig", "debug"), ("eror", "error")]
        {
            assert_eq!(similar(word), Some(meant), "{word}");
        }
        for word in ["info", "shop", "", "hyper", "in", "debugging"] {
            assert_eq!(similar(word), None, "{word}");
        }
    }

    #[test]
    fn numbers_are_those_of_tracing() {
        let levels = ["0", "1", "2", "3", "4", "5", "6"].map(|word| level(word).map(Threshold::level));
        assert_eq!(levels[..6], NUMBERS.map(Some));
        assert_eq!(levels[6], None);
        assert!(wrong_number(20).ends_with("Python's 20 is `info`"));
    }
}
