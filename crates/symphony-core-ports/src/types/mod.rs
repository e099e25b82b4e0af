//! What crosses the ports.

mod arbitration;
mod artifact;
mod conductor;
mod dag;
mod data;
mod extension;
mod model;
mod port_type;
mod process;
mod text;

pub use arbitration::*;
pub use artifact::*;
pub use conductor::*;
pub use dag::*;
pub use data::*;
pub use extension::*;
pub use model::*;
pub use port_type::*;
pub use process::*;
pub use text::*;

/// Declares a newtype over `String` with what every identifier needs.
macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// From any text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}
pub(crate) use string_id;
