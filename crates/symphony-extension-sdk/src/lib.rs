//! What extension authors import: an Instrument, Operator or Motif is one
//! function from inputs to outputs, and this crate speaks the protocol for it.
//!
//! The crate reads requests from the standard input, one JSON-RPC 2.0 message a
//! line, runs each call on a thread of a bounded pool, answers `ping` meanwhile,
//! hands on `cancel`, turns a panic into an error answer, and ends the process
//! when the host says `shutdown` or closes the pipe. It uses threads only, no
//! asynchronous runtime.
//!
//! ```
//! use symphony_extension_sdk::{About, Call, Failure, Outputs, function};
//!
//! fn count_words(call: &Call) -> Result<Outputs, Failure> {
//!     let text: String = call.input("text")?;
//!     let words = text.split_whitespace().count();
//!     Outputs::new().with("words", words)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let extension = function(About::new("count-words", "0.1.0"), count_words);
//! // In `main`: symphony_extension_sdk::serve(extension)?;
//! // In a test, without a process:
//! let call = Call::detached(Default::default(), [("text", "to be or not".into())]);
//! # use symphony_extension_sdk::Extension;
//! assert_eq!(extension.call(&call)?.get("words"), Some(&4.into()));
//! # Ok(()) }
//! ```
//!
//! What the program prints to its standard error, and by mistake to its standard
//! output, becomes its log.

mod call;
mod failure;
mod lines;
mod output;
mod outputs;
mod server;

pub use call::{Call, Level, Session};
pub use failure::Failure;
pub use outputs::Outputs;
pub use server::{ServeError, serve, serve_on};
/// The values that travel through ports: items, edits, findings, files, chat messages.
pub use symphony_ipc_protocol::extension as types;

/// Who an extension is, told to the host at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The id of the manifest.
    pub id: String,
    /// The extension's version.
    pub version: String,
    /// What identifies a model behind the extension; part of every cache key.
    pub model: Option<String>,
    /// How many calls may run at once, at least 1 and at most 256.
    pub max_parallel: u32,
}

impl About {
    /// An extension without a model that runs one call at a time.
    pub fn new(id: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            model: None,
            max_parallel: 1,
        }
    }

    /// Lets so many calls run at once.
    #[must_use]
    pub fn max_parallel(mut self, calls: u32) -> Self {
        self.max_parallel = calls;
        self
    }

    /// Names the model behind the extension.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }
}

/// An extension: what [`serve`] runs.
pub trait Extension: Send + Sync + 'static {
    /// Prepares for calls and says who this is; `session` holds the project, settings and secrets.
    ///
    /// Called once, before any call. `ping` is answered only after it, so
    /// it should end within the manifest's `startup_timeout`.
    ///
    /// # Errors
    /// A [`Failure`] ends the start: the host reports it and stops the process.
    fn start(&self, session: &Session) -> Result<About, Failure>;

    /// Does the work of one call.
    ///
    /// Runs on a thread of its own, beside up to `max_parallel - 1` others.
    /// Long work should look at [`Call::check`] now and then.
    ///
    /// # Errors
    /// A [`Failure`], which reaches the host as the error of the call.
    fn call(&self, call: &Call) -> Result<Outputs, Failure>;
}

struct Function<F> {
    about: About,
    function: F,
}

impl<F> Extension for Function<F>
where
    F: Fn(&Call) -> Result<Outputs, Failure> + Send + Sync + 'static,
{
    fn start(&self, _session: &Session) -> Result<About, Failure> {
        Ok(self.about.clone())
    }

    fn call(&self, call: &Call) -> Result<Outputs, Failure> {
        (self.function)(call)
    }
}

/// An extension that is one function.
pub fn function<F>(about: About, function: F) -> impl Extension
where
    F: Fn(&Call) -> Result<Outputs, Failure> + Send + Sync + 'static,
{
    Function { about, function }
}
