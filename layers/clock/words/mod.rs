//! Parses keywords, sizes, durations and times of day as people write them.

mod duration;
mod keyword;
mod number;
mod size;
mod time_of_day;

pub(crate) use duration::{duration, millis};
pub(crate) use keyword::{keyword, one_of};
pub(crate) use size::size;
pub(crate) use time_of_day::{time_before_midnight, time_of_day};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".{0,20}", numbers in "[0-9._]{0,50}[a-zA-Z ]{0,4}") {
            for text in [text, numbers] {
                let _ = (size(&text), duration(&text), time_of_day(&text));
            }
        }
    }
}
