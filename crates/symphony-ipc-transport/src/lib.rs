//! Framed streams of JSON-RPC lines, and the one connection type over them.
//!
//! * [`mod@line`]: cutting a byte stream into lines of bounded length.
//! * [`Peer`]: a JSON-RPC 2.0 connection over any pair of byte streams: calls
//!   with correlation and time-outs, notifications, incoming messages.
//! * [`unix`]: a Unix socket that only its owner can reach.
//!
//! Standard streams of a child, an in-memory duplex and a Unix socket are all
//! `AsyncRead`/`AsyncWrite`, so [`Peer::start`] takes each of them.
//!
//! Invariants: memory is bounded on both sides (a line is cut at the limit, the
//! outgoing queue and the incoming queue have a bound), a call always ends
//! (answer, time-out or [`CallError::Closed`]), and nothing a peer sends panics.

mod error;
pub mod line;
mod outgoing;
mod peer;
pub mod unix;

pub use error::{CallError, CloseReason};
pub use peer::{Incoming, Peer, PeerOptions, PeerStats, PendingCall, Responder};
