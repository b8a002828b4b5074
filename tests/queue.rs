use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing_handlers::handler::{Handler, Overflow, Queue, from_fn};
use tracing_handlers::{RecordBuf, Severity};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[test]
fn smoke() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    let queue = Queue::new(from_fn(move |r| {
        s.lock().unwrap().push(r.message().to_owned());
        Ok(())
    }))
    .capacity(16)
    .overflow(Overflow::Block);
    let queue = Arc::new(queue);
    let threads: Vec<_> = (0..4)
        .map(|t| {
            let queue = queue.clone();
            std::thread::spawn(move || {
                for i in 0..10_000 {
                    queue.handle(&RecordBuf::new(Severity::INFO, "t", &format!("{t} {i}")).as_record()).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    queue.flush(soon()).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 40_000);
    let stats = queue.stats();
    assert_eq!(stats[0].stats.delivered, 40_000);
    assert!(stats[0].stats.balances());
}
