//! What an extension may do: it must be declared by the manifest and granted by the user.

use std::collections::BTreeSet;
use symphony_core_ports::{ExtensionManifest, Permission};

/// What the user granted to an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    /// All that its manifest declares: it came with Symphony.
    Bundled,
    /// These.
    Listed(BTreeSet<Permission>),
}

impl Grants {
    /// What the extension may do: what it declares and the user granted.
    pub fn effective(&self, manifest: &ExtensionManifest) -> BTreeSet<Permission> {
        let declared = manifest.permissions.iter().cloned();
        match self {
            Self::Bundled => declared.collect(),
            Self::Listed(granted) => declared.filter(|p| granted.contains(p)).collect(),
        }
    }

    /// What the manifest asks for and the user did not grant.
    pub fn missing(&self, manifest: &ExtensionManifest) -> Vec<Permission> {
        let effective = self.effective(manifest);
        manifest
            .permissions
            .iter()
            .filter(|p| !effective.contains(p))
            .cloned()
            .collect()
    }
}
