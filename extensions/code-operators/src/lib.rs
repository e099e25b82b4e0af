//! The first-party Operators that read and change source code.
//!
//! One program, `symphony-code-operators <operator>`, is each of them. They read
//! the project and never write to it: what they make are edits, which a person
//! reviews. Positions are byte offsets in a file's text without its encoding mark.

pub mod apply_edits;
pub mod comment;
pub mod compare;
pub mod find_place;
pub mod find_undocumented;
pub mod languages;
pub mod patch;
pub mod project;
pub mod project_map;
pub mod read_files;
pub mod sentence;
pub mod stage_edits;
pub mod verify_comments_only;
pub mod verify_parses;
pub mod walk;
pub mod write_doc_comments;

use symphony_extension_sdk::{Call, Failure, Outputs};

/// The function behind an Operator.
pub type Operator = fn(&Call) -> Result<Outputs, Failure>;

/// The Operators by name.
pub const OPERATORS: [(&str, Operator); 8] = [
    ("apply-edits", apply_edits::run),
    ("find-undocumented", find_undocumented::run),
    ("project-map", project_map::run),
    ("read-files", read_files::run),
    ("stage-edits", stage_edits::run),
    ("verify-comments-only", verify_comments_only::run),
    ("verify-parses", verify_parses::run),
    ("write-doc-comments", write_doc_comments::run),
];
