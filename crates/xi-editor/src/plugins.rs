//! Plugins that speak xi's own dialect, each in a process of its own.
//!
//! A plugin runs only when it was asked for. It sees the buffers that it was
//! asked for, is told of their changes, and acts on them through the editing
//! loop like anyone else. What it does wrong costs itself: it is held back,
//! ended, started again, and after too many ends left alone.
//!
//! One thread (`hub`) knows all plugins. It is started with the first need.

mod calls;
mod catalog;
pub mod delta;
pub mod dialect;
mod hosted;
mod hub;
mod process;
mod rate;
mod session;
mod settings;
mod view;

#[cfg(fuzzing)]
pub use session::rehearse;

use crate::companion::{Call, Companion, Desk, Mail, Mailbox, Notice};
use process::OutputEnd;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    Initialize, PluginCommand, PluginConfig, PluginHover, Plugins as ListPlugins, StartPlugin,
    StopPlugin, XiRequest,
};

/// So many inputs may wait for the hub.
const MAX_INPUTS: usize = 256;
/// How long the mail is waited for in one go.
const MAIL: Duration = Duration::from_secs(60);

/// A run of a plugin; a plugin that is started again is another run.
type RunId = u64;

/// What the hub deals with, one after the other.
enum Input {
    /// From the editing loop.
    Mail(Mail),
    /// A line that a plugin wrote.
    Line(RunId, Vec<u8>),
    /// A plugin's output is not read any more.
    Ended(RunId, OutputEnd),
    /// xi-editor ends.
    Over,
}

/// The host of plugins.
pub struct Plugins {
    desk: Desk,
    mailbox: Mailbox,
    folders: Vec<PathBuf>,
    wanted: Vec<String>,
    started: bool,
}

impl Plugins {
    /// A host that does nothing yet.
    pub fn new(desk: &Desk) -> Self {
        Self {
            desk: desk.clone(),
            mailbox: Mailbox::default(),
            folders: Vec::new(),
            wanted: Vec::new(),
            started: false,
        }
    }

    fn start(&mut self) -> std::io::Result<()> {
        if self.started {
            return Ok(());
        }
        let (inputs, received) = sync_channel(MAX_INPUTS);
        let (mailbox, to) = (self.mailbox.clone(), inputs.clone());
        let hub = hub::Hub::new(&self.desk, inputs);
        let (folders, wanted) = (self.folders.clone(), self.wanted.clone());
        std::thread::Builder::new()
            .name("plugins".to_owned())
            .spawn(move || hub.run(&received, &folders, &wanted))?;
        std::thread::Builder::new()
            .name("plugins mail".to_owned())
            .spawn(move || pass_on(&mailbox, &to))?;
        self.started = true;
        Ok(())
    }
}

/// Joins the mail with what plugins write: the hub waits at one place.
fn pass_on(mailbox: &Mailbox, inputs: &SyncSender<Input>) {
    loop {
        let input = match mailbox.take(MAIL) {
            Some(mail) => Input::Mail(mail),
            None if mailbox.ended() => Input::Over,
            None => continue,
        };
        let over = matches!(input, Input::Over);
        if inputs.send(input).is_err() || over {
            return;
        }
    }
}

impl Companion for Plugins {
    fn methods(&self) -> &'static [&'static str] {
        &[
            ListPlugins::METHOD,
            StartPlugin::METHOD,
            StopPlugin::METHOD,
            PluginCommand::METHOD,
            PluginHover::METHOD,
            PluginConfig::METHOD,
        ]
    }

    fn initialized(&mut self, request: &Initialize) {
        self.folders.clone_from(&request.plugin_folders);
        self.wanted.clone_from(&request.plugins);
        if !self.wanted.is_empty()
            && let Err(error) = self.start()
        {
            tracing::error!(%error, "plugins cannot be hosted");
        }
    }

    fn told(&mut self, notice: &Notice) {
        // Until it starts nobody reads; then it asks for the buffers.
        if self.started {
            self.mailbox.notice(notice);
        }
    }

    fn call(&mut self, call: Call) {
        match self.start() {
            Ok(()) => self.mailbox.call(call),
            Err(error) => {
                let why = format!("plugins cannot be hosted: {error}");
                call.refuse(RpcError::new(code::IO, why));
            }
        }
    }
}

impl Drop for Plugins {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
