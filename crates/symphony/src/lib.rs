//! Symphony: the composition root, the host of a project, the command line.
//!
//! [`host::Host`] owns a project's state and processes. [`session::Session`]
//! joins the host that runs for a project, or becomes it for its own lifetime.
//! [`cli`] is the terminal's frontend; it knows only [`api`].

pub mod api;
pub mod cli;
pub mod credentials;
pub mod host;
pub mod installation;
pub mod melodies;
pub mod models;
pub mod project;
pub mod session;
