use super::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// An output that takes a write only when the test lets it.
struct Gate {
    let_through: Receiver<()>,
    seen: SyncSender<Vec<u8>>,
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        self.let_through.recv().map_err(gone)?;
        self.seen
            .send(bytes.to_vec())
            .map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn gated() -> (Arc<Outbox>, SyncSender<()>, Receiver<Vec<u8>>) {
    let outbox = Arc::new(Outbox::default());
    let (go, let_through) = sync_channel(1_000);
    let (seen, got) = sync_channel(1_000);
    let writer = Arc::clone(&outbox);
    std::thread::spawn(move || writer.write_to(Gate { let_through, seen }));
    (outbox, go, got)
}

fn event(buffer: BufferKey, text: &str) -> Event {
    Event {
        buffer: Some(buffer),
        line: format!("{text}\n").into_bytes(),
    }
}

/// Takes all that the writer writes, as lines.
fn drain(go: &SyncSender<()>, got: &Receiver<Vec<u8>>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let _ = go.try_send(());
        match got.recv_timeout(Duration::from_millis(300)) {
            Ok(bytes) => all.extend(bytes),
            Err(_) => break,
        }
    }
    let text = String::from_utf8(all).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_client_that_does_not_read_loses_events_and_is_told_which() {
    let (outbox, go, got) = gated();
    let (a, b) = (BufferKey::from_u128(1), BufferKey::from_u128(2));
    outbox.push(Some(b"first\n".to_vec()), std::iter::empty());
    while !outbox.lock().writing {
        std::thread::yield_now();
    }
    for i in 0..MAX_EVENTS + 200 {
        let events = [event(if i % 2 == 0 { a } else { b }, &format!("e{i}"))];
        assert!(outbox.push(Some(format!("r{i}\n").into_bytes()), events.into_iter()));
    }
    {
        let waiting = outbox.lock();
        assert!(waiting.events <= MAX_EVENTS);
    }
    let lines = drain(&go, &got);
    let responses = lines.iter().filter(|l| l.starts_with('r')).count();
    assert_eq!(responses, MAX_EVENTS + 200);
    let notice = lines
        .iter()
        .position(|l| l.contains("events_dropped"))
        .unwrap();
    assert!(lines[notice].contains(&a.to_string()) && lines[notice].contains(&b.to_string()));
    // Events are in order and without a gap before the notice.
    let events: Vec<_> = lines.iter().filter(|l| l.starts_with('e')).collect();
    assert!(
        events
            .iter()
            .enumerate()
            .all(|(i, l)| **l == format!("e{i}"))
    );
    // After the notice events flow again.
    outbox.push(None, [event(a, "later")].into_iter());
    assert_eq!(drain(&go, &got), ["later"]);
}

#[test]
fn responses_wait_for_room_and_none_is_lost() {
    let (outbox, go, got) = gated();
    let big = vec![b'x'; MAX_BYTES / 2];
    let producer = Arc::clone(&outbox);
    let producer = std::thread::spawn(move || {
        for _ in 0..6 {
            let mut line = big.clone();
            line.push(b'\n');
            assert!(producer.push(Some(line), std::iter::empty()));
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    assert!(!producer.is_finished(), "nobody read, so it waits");
    assert!(outbox.lock().bytes <= 2 * MAX_BYTES);
    let mut lines = drain(&go, &got);
    // On a busy machine the next line may come later than one look waits.
    while !producer.is_finished() {
        lines.extend(drain(&go, &got));
    }
    producer.join().unwrap();
    lines.extend(drain(&go, &got));
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_closed_output_is_told_and_the_end_does_not_wait_for_ever() {
    let (outbox, go, got) = gated();
    outbox.push(Some(b"stuck\n".to_vec()), std::iter::empty());
    let start = std::time::Instant::now();
    outbox.finish(Duration::from_millis(50));
    assert!(start.elapsed() < Duration::from_secs(2));
    drop((go, got));
    while outbox.push(None, std::iter::empty()) {
        std::thread::sleep(Duration::from_millis(5));
    }
}
