use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::Lines;
use crate::handler::Handler;

/// Never returns `Pending`, but hands the records to the handler on the task's thread: put a [`Queue`](crate::Queue) in front of a
/// slow one. A shutdown makes a record of a last line without a line end, as [`finish`](Lines::finish) does.
///
/// ```
/// use tokio::io::AsyncWriteExt;
/// use tracing_handlers::{testing::Captured, receive::Lines};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let captured = Captured::new();
/// let mut lines = Lines::new(captured.clone());
/// lines.write_all(b"one\ntw").await?;
/// assert_eq!(captured.messages(), ["one"]);
/// lines.write_all(b"o").await?;
/// lines.shutdown().await?;
/// assert_eq!(captured.messages(), ["one", "two"]);
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
impl<H: Handler> AsyncWrite for Lines<H> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Write::write(&mut *self, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finish();
        Poll::Ready(Ok(()))
    }
}
