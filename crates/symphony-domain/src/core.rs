//! The ports, held together.

use std::sync::Arc;
use symphony_core_ports::{
    Clock, ConductorPort, DataPort, ExtensionPort, IdSource, PitPort, TextEditingPort,
};

/// The orchestration engine's hold on the world: all ports, nothing else.
///
/// Cheap to clone. The composition root decides which adapters stand behind.
#[derive(Clone)]
pub struct SymphonyCore {
    /// xi-editor.
    pub text: Arc<dyn TextEditingPort>,
    /// The Pit.
    pub pit: Arc<dyn PitPort>,
    /// Instruments, Operators, Motifs.
    pub extensions: Arc<dyn ExtensionPort>,
    /// Who chooses.
    pub conductor: Arc<dyn ConductorPort>,
    /// Records.
    pub data: Arc<dyn DataPort>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub ids: Arc<dyn IdSource>,
}
