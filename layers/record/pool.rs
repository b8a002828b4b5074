//! Byte buffers kept by each thread for reuse, so that the steady state allocates nothing.

use std::cell::{Cell, RefCell};

/// Boxed, so that taking and giving back a buffer moves one word.
pub(crate) type Buffer = Box<Vec<u8>>;

/// Returns an empty buffer; [`give`] it back after use.
#[inline]
pub(crate) fn take() -> Buffer {
    match AT_HAND.try_with(|[one, two]| one.take().or_else(|| two.take())) {
        Ok(Some(buffer)) => buffer,
        _ => take_deeper(),
    }
}

/// Keeps `buffer` for the next [`take`] on this thread, unless it has grown large.
#[inline]
pub(crate) fn give(mut buffer: Buffer) {
    if buffer.capacity() > KEEP_BYTES {
        return;
    }
    buffer.clear();
    // A thread that is ending has no pool.
    let other = AT_HAND.try_with(|[one, two]| match one.replace(Some(buffer)) {
        None => None,
        before => two.replace(before),
    });
    if let Ok(Some(other)) = other {
        give_deeper(other);
    }
}

#[inline(never)]
fn take_deeper() -> Buffer {
    OTHERS.try_with(|others| others.try_borrow_mut().ok()?.pop()).ok().flatten().unwrap_or_default()
}

#[inline(never)]
fn give_deeper(buffer: Buffer) {
    let _ = OTHERS.try_with(|others| match others.try_borrow_mut() {
        Ok(mut others) if others.len() < KEEP => others.push(buffer),
        _ => {}
    });
}

const KEEP: usize = 8;
/// The largest buffer that a thread keeps, in bytes.
pub(crate) const KEEP_BYTES: usize = 256 << 10;

thread_local! {
    /// Two, because a record and its line are in use at the same time.
    static AT_HAND: [Cell<Option<Buffer>>; 2] = const { [Cell::new(None), Cell::new(None)] };
    static OTHERS: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}
