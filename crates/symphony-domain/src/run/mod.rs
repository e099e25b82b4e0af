//! Runs: a melody played as a DAG, in parallel, durable, resumable.
//!
//! [`Performance`] walks the melody's nodes as their needs are met. Each piece of
//! work goes through the DAG Tracker ([`symphony_core_ports::DagTracking`]), which
//! answers it from the run's record or from cache, or has it executed by
//! [`call::PlayerCall`] and records the result before anything builds on it.

pub mod budget;
pub mod call;
pub mod casting;
pub mod event;
mod perform;
pub mod plan;
mod slots;
mod values;

pub use budget::{Budget, BudgetExceeded};
pub use casting::{CastMember, Price};
pub use event::{EventSink, RunEvent};
pub use perform::{Performance, RunError, RunReport, Settings};
pub use plan::RunPlan;
pub use slots::{Parallel, Slots};
