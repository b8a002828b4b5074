use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

/// Shows the name of a type, where `Debug` cannot show the value: a handler, a filter or a format may not implement it, and asking
/// a handler for its report may take a lock.
pub(super) struct TypeName<T: ?Sized>(PhantomData<fn() -> PhantomData<T>>);

impl<T: ?Sized> TypeName<T> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    /// The name of the type of `_value`.
    pub(super) fn of(_value: &T) -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for TypeName<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(type_name::<T>())
    }
}
