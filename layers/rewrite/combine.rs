use std::sync::Arc;

use super::Rewrite;
use crate::filter::Filter;
use crate::record::RecordBuf;

/// Applies `rewrite` to the records that pass `filter`, which sees them as changed by the rewrites before this one.
///
/// ```
/// use tracing_handlers::filter;
/// use tracing_handlers::rewrite::{self, Remove, Rewrite, SetSeverity};
/// use tracing_handlers::{RecordBuf, Severity};
///
/// let quiet = rewrite::only(filter::targets(["hyper", "h2"]), (SetSeverity::to(Severity::DEBUG), Remove::fields(["frame"])));
/// let mut records = ["h2::codec", "shop"].map(|target| RecordBuf::new(Severity::INFO, target, "").with_field("frame", 1));
/// records.iter_mut().for_each(|record| quiet.rewrite(record));
/// assert_eq!(records[0].as_record().severity(), Severity::DEBUG);
/// assert_eq!(records[1].as_record().severity(), Severity::INFO);
/// assert!(records[0].as_record().field("frame").is_none() && records[1].as_record().field("frame").is_some());
/// ```
pub fn only<F: Filter, R: Rewrite>(filter: F, rewrite: R) -> Only<F, R> {
    Only { filter, rewrite }
}

/// See [`only`].
#[must_use = "a rewrite does nothing until records pass it"]
#[derive(Clone, Debug)]
pub struct Only<F, R> {
    filter: F,
    rewrite: R,
}

impl<F: Filter, R: Rewrite> Rewrite for Only<F, R> {
    fn rewrite(&self, record: &mut RecordBuf) {
        if self.filter.passes(&record.as_record()) {
            self.rewrite.rewrite(record);
        }
    }
}

impl Rewrite for Box<dyn Rewrite> {
    fn rewrite(&self, record: &mut RecordBuf) {
        (**self).rewrite(record);
    }
}

impl<R: Rewrite + ?Sized> Rewrite for Arc<R> {
    fn rewrite(&self, record: &mut RecordBuf) {
        (**self).rewrite(record);
    }
}

/// `None` changes nothing.
impl<R: Rewrite> Rewrite for Option<R> {
    fn rewrite(&self, record: &mut RecordBuf) {
        self.iter().for_each(|rewrite| rewrite.rewrite(record));
    }
}

/// Applies them one after the other.
impl<R: Rewrite> Rewrite for Vec<R> {
    fn rewrite(&self, record: &mut RecordBuf) {
        self.iter().for_each(|rewrite| rewrite.rewrite(record));
    }
}

macro_rules! tuple {
    ($($part:ident)*) => {
        /// Applies them one after the other.
        impl<$($part: Rewrite),*> Rewrite for ($($part,)*) {
            #[expect(non_snake_case, reason = "each element is named like its type")]
            fn rewrite(&self, record: &mut RecordBuf) {
                let ($($part,)*) = self;
                $($part.rewrite(record);)*
            }
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    #[test]
    fn several_rewrites_apply_in_order() {
        let say = |word: &'static str| {
            move |record: &mut RecordBuf| {
                let message = format!("{}{word}", record.as_record().message());
                record.set_message(&message);
            }
        };
        let boxed: Vec<Box<dyn Rewrite>> = vec![Box::new(say("c")), Box::new((say("d"), None::<Arc<dyn Rewrite>>))];
        let all = (say("a"), Some(say("b")), boxed, Arc::new(say("e")));
        let mut record = RecordBuf::new(Severity::INFO, "", "");
        all.rewrite(&mut record);
        assert_eq!(record.as_record().message(), "abcde");
    }
}
