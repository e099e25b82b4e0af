//! The loop between the host's pipe and the pool of threads.

use crate::lines::{Line, next_line};
use crate::output::Output;
use crate::{Call, Extension, Failure, Session};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use symphony_ipc_protocol::extension::{Cancel, Initialize, Initialized, Invoke, PROTOCOL, method};
use symphony_ipc_protocol::jsonrpc::{MAX_LINE_BYTES, Message, RequestId, RpcError, code, params};

/// Calls that may wait for a thread; more are answered with BUSY.
const MAX_QUEUED: usize = 64;
/// Calls that may run at once, whatever the extension asks for.
const MAX_THREADS: u32 = 256;
/// How long running calls may go on after `shutdown` or the end of the input.
const GRACE: Duration = Duration::from_secs(2);

/// The connection to the host broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The standard output could not be set up.
    #[error("the standard output cannot be used: {0}")]
    Setup(#[source] io::Error),
    /// Requests could not be read.
    #[error("requests cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Answers could not be written; the host is gone.
    #[error("answers cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Serves the host over standard input and output until it says `shutdown` or closes the pipe.
///
/// On Unix, what the program itself prints to the standard output goes to the
/// standard error from here on, so that a stray `println!` breaks nothing.
///
/// # Errors
/// [`ServeError`] when a pipe breaks.
pub fn serve(extension: impl Extension) -> Result<(), ServeError> {
    let output = private_stdout().map_err(ServeError::Setup)?;
    serve_on(extension, io::stdin().lock(), output)
}

#[cfg(unix)]
fn private_stdout() -> io::Result<impl Write + Send + 'static> {
    use std::os::fd::AsFd;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    Ok(std::fs::File::from(output))
}

#[cfg(not(unix))]
fn private_stdout() -> io::Result<impl Write + Send + 'static> {
    Ok(io::stdout())
}

/// Serves a host over any pair of streams; returns when it says `shutdown` or the input ends.
///
/// Calls that are still running then are cancelled and get two seconds to end.
///
/// # Errors
/// [`ServeError`] when a stream breaks.
pub fn serve_on(
    extension: impl Extension,
    mut input: impl BufRead,
    output: impl Write + Send + 'static,
) -> Result<(), ServeError> {
    let mut server = Server {
        extension: Arc::new(extension),
        output: Arc::new(Output::new(output)),
        running: Arc::default(),
        pool: None,
    };
    while let Some(line) = next_line(&mut input, MAX_LINE_BYTES).map_err(ServeError::Read)? {
        let next = match line {
            Line::TooLong => {
                server.reply(None, Err(too_long()));
                Next::Read
            }
            Line::Whole(line) => server.handle(&line),
        };
        if let Some(kind) = server.output.broken() {
            server.running.stop_all();
            return Err(ServeError::Write(kind.into()));
        }
        if let Next::End(id) = next {
            server.running.stop_all();
            server.reply(Some(id), Ok(json!({})));
            return Ok(());
        }
    }
    server.running.stop_all();
    Ok(())
}

fn too_long() -> RpcError {
    RpcError::new(
        code::INVALID_REQUEST,
        format!("the line is longer than {MAX_LINE_BYTES} bytes"),
    )
}

enum Next {
    Read,
    End(RequestId),
}

struct Server<E> {
    extension: Arc<E>,
    output: Arc<Output>,
    running: Arc<Running>,
    pool: Option<Pool>,
}

struct Pool {
    jobs: SyncSender<Job>,
    session: Arc<Session>,
}

struct Job {
    id: RequestId,
    call: Call,
}

impl<E: Extension> Server<E> {
    fn reply(&self, id: Option<RequestId>, outcome: Result<Value, RpcError>) {
        self.output.send(&Message::Response { id, outcome });
    }

    fn handle(&mut self, line: &[u8]) -> Next {
        match Message::parse(line) {
            Err(malformed) => self.output.send(&malformed.into_reply()),
            Ok(Message::Request { id, method, params }) => {
                return self.request(id, &method, params);
            }
            Ok(Message::Notification { method, params }) => self.notification(&method, params),
            // This side asks nothing, so nothing is waiting for an answer.
            Ok(Message::Response { .. }) => {}
        }
        Next::Read
    }

    fn request(&mut self, id: RequestId, name: &str, params: Value) -> Next {
        match name {
            method::PING => self.reply(Some(id), Ok(json!({}))),
            method::INITIALIZE => {
                let outcome = self.initialize(params);
                self.reply(Some(id), outcome);
            }
            method::INVOKE => self.invoke(id, params),
            method::SHUTDOWN => return Next::End(id),
            _ => self.reply(Some(id), Err(RpcError::method_not_found(name))),
        }
        Next::Read
    }

    fn notification(&self, name: &str, value: Value) {
        if name == method::CANCEL
            && let Ok(cancel) = params::<Cancel>(name, value)
        {
            self.running.stop(&cancel.call);
        }
    }

    fn initialize(&mut self, value: Value) -> Result<Value, RpcError> {
        if self.pool.is_some() {
            return Err(RpcError::new(
                code::INVALID_REQUEST,
                "`initialize` was sent already",
            ));
        }
        let initialize: Initialize = params(method::INITIALIZE, value)?;
        if initialize.protocol != PROTOCOL {
            return Err(RpcError::new(
                code::UNSUPPORTED,
                format!(
                    "this extension speaks {PROTOCOL}, the host {}",
                    initialize.protocol
                ),
            ));
        }
        let session = Session::from(initialize);
        let about = guarded(|| self.extension.start(&session)).map_err(|f| f.to_rpc())?;
        let threads = about.max_parallel.clamp(1, MAX_THREADS);
        let (jobs, queue) = sync_channel(MAX_QUEUED);
        self.start_threads(threads, queue)
            .map_err(|e| Failure::io("starting threads", e).to_rpc())?;
        self.pool = Some(Pool {
            jobs,
            session: Arc::new(session),
        });
        let initialized = Initialized {
            protocol: PROTOCOL.to_owned(),
            id: about.id,
            version: about.version,
            model: about.model,
            max_parallel: threads,
        };
        serde_json::to_value(initialized)
            .map_err(|e| RpcError::new(code::INTERNAL_ERROR, e.to_string()))
    }

    fn start_threads(&self, threads: u32, queue: Receiver<Job>) -> io::Result<()> {
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads {
            let queue = Arc::clone(&queue);
            let extension = Arc::clone(&self.extension);
            let output = Arc::clone(&self.output);
            let running = Arc::clone(&self.running);
            std::thread::Builder::new()
                .name(format!("call-{number}"))
                .spawn(move || {
                    while let Some(job) = next_job(&queue) {
                        run(&*extension, job, &output, &running);
                    }
                })?;
        }
        Ok(())
    }

    fn invoke(&self, id: RequestId, value: Value) {
        let Some(pool) = &self.pool else {
            let error = RpcError::new(code::INVALID_REQUEST, "`initialize` comes first");
            return self.reply(Some(id), Err(error));
        };
        let invoke: Invoke = match params(method::INVOKE, value) {
            Ok(invoke) => invoke,
            Err(error) => return self.reply(Some(id), Err(error)),
        };
        let name = invoke.call.clone();
        let Some(stop) = self.running.start(&name) else {
            let why = format!("a call `{name}` is running already");
            let error = RpcError::invalid_params(method::INVOKE, why);
            return self.reply(Some(id), Err(error));
        };
        let session = Arc::clone(&pool.session);
        let call = Call::new(invoke, session, stop, Arc::clone(&self.output));
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) =
            pool.jobs.try_send(Job { id, call })
        {
            let busy = Failure::Busy {
                message: format!("{MAX_QUEUED} calls are waiting already"),
                retry_after_ms: None,
            };
            self.running.free(&name);
            self.reply(Some(job.id), Err(busy.to_rpc()));
            self.running.ended();
        }
    }
}

fn next_job(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

fn run<E: Extension>(extension: &E, job: Job, output: &Output, running: &Running) {
    let Job { id, call } = job;
    let result = call
        .check()
        .and_then(|()| guarded(|| extension.call(&call)));
    // A cancelled call ends as cancelled, whatever the function made of it.
    let outcome = match call.check() {
        Err(Failure::Cancelled) => Err(Failure::Cancelled),
        _ => result,
    };
    let outcome = match outcome {
        Ok(outputs) => serde_json::to_value(outputs.into_invoked())
            .map_err(|e| RpcError::new(code::INTERNAL_ERROR, e.to_string())),
        Err(failure) => Err(failure.to_rpc()),
    };
    // The id is free before the host can know it, so that it may use it again at once.
    running.free(call.id());
    output.send(&Message::Response {
        id: Some(id),
        outcome,
    });
    running.ended();
}

/// Runs the author's code; a panic becomes a failure (its message is on the standard error too).
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Err(Failure::Internal(format!("the extension panicked: {what}")))
    })
}

/// The calls that have no answer yet, with their cancel flags.
#[derive(Default)]
struct Running {
    calls: Mutex<Calls>,
    all_ended: Condvar,
}

#[derive(Default)]
struct Calls {
    flags: HashMap<String, Arc<AtomicBool>>,
    unanswered: usize,
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, call: &str) -> Option<Arc<AtomicBool>> {
        let mut calls = self.lock();
        if calls.flags.contains_key(call) {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        calls.flags.insert(call.to_owned(), Arc::clone(&stop));
        calls.unanswered += 1;
        Some(stop)
    }

    /// A call that is not there has ended: nothing to stop.
    fn stop(&self, call: &str) {
        if let Some(stop) = self.lock().flags.get(call) {
            stop.store(true, Ordering::Release);
        }
    }

    fn free(&self, call: &str) {
        self.lock().flags.remove(call);
    }

    fn ended(&self) {
        self.lock().unanswered -= 1;
        self.all_ended.notify_all();
    }

    /// Cancels every call and waits for their answers, at most [`GRACE`].
    fn stop_all(&self) {
        let calls = self.lock();
        for stop in calls.flags.values() {
            stop.store(true, Ordering::Release);
        }
        // Whatever has not ended by then ends with the process.
        drop(
            self.all_ended
                .wait_timeout_while(calls, GRACE, |calls| calls.unanswered > 0),
        );
    }
}
