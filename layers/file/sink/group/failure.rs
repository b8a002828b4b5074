use std::io;

/// Why a sync failed. Copied, since each waiting caller gets an `io::Error`.
#[derive(Clone, Copy, Debug)]
pub(in crate::file::sink) struct Failure {
    pub(super) kind: io::ErrorKind,
    pub(super) code: Option<i32>,
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        failure.code.map_or_else(|| failure.kind.into(), Self::from_raw_os_error)
    }
}
