//! Artifacts: immutable bytes, named by what they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The name of an artifact: the algorithm's tag and the hash of the bytes, `b3:` and 64 hexadecimal digits.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ArtifactId(String);

/// A text is no artifact id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no artifact id: expected `b3:` and 64 hexadecimal digits")]
pub struct InvalidArtifactId(pub String);

impl ArtifactId {
    /// From a BLAKE3 hash.
    pub fn from_blake3(hash: [u8; 32]) -> Self {
        use fmt::Write;
        let mut text = String::with_capacity(67);
        text.push_str("b3:");
        for byte in hash {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first digits, for people.
    pub fn short(&self) -> &str {
        &self.0[3..11]
    }
}

impl fmt::Display for ArtifactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ArtifactId {
    type Err = InvalidArtifactId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.strip_prefix("b3:").is_some_and(|hex| {
            hex.len() == 64
                && hex
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidArtifactId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ArtifactId {
    type Error = InvalidArtifactId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ArtifactId> for String {
    fn from(id: ArtifactId) -> Self {
        id.0
    }
}

/// When a stored artifact must be on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Sometime; what a crash loses can be made again.
    Buffered,
    /// Before the answer, sharing a sync with others (a window of at most 5 ms).
    #[default]
    Group,
    /// Before the answer, with a sync of its own.
    Sync,
}

/// Bytes to be stored, with what should be known of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactContent {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub about: ArtifactInfo,
    /// When they must be on disk.
    pub durability: Durability,
}

/// What is known of an artifact besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactInfo {
    /// An IANA media type, e.g. `application/json`.
    pub media_type: String,
    /// For people and for search, e.g. `output of describe[7]`.
    pub title: String,
    /// Labels: `run`, `node`, `player`, …
    pub labels: BTreeMap<String, String>,
}

/// A stored artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name.
    pub id: ArtifactId,
    /// Its bytes, verified against the name.
    pub bytes: Vec<u8>,
    /// What was known when it was first stored.
    pub about: ArtifactInfo,
}

/// An artifact in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactSummary {
    /// Its name.
    pub id: ArtifactId,
    /// Length of its bytes.
    pub size: u64,
    /// What was known when it was first stored.
    pub about: ArtifactInfo,
}
