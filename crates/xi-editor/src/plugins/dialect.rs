//! The lines of the dialect: JSON-RPC without its version field.

use super::delta::Delta;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a plugin wrote in a line.
#[derive(Debug)]
pub enum Incoming {
    /// The answer to a request of ours.
    Response {
        /// The request.
        id: u64,
        /// Its error, if it is one.
        error: Option<Value>,
    },
    /// A request.
    Request {
        /// To answer with.
        id: u64,
        /// The view that it is about.
        view: u64,
        /// What it asks.
        request: Request,
    },
    /// A request that cannot be understood; it is to be answered all the same.
    BadRequest {
        /// To answer with.
        id: u64,
        /// What is wrong.
        why: String,
    },
    /// A notification.
    Notification {
        /// The view that it is about.
        view: u64,
        /// What it says.
        notification: Box<Notification>,
    },
}

/// What a plugin asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", content = "params")]
pub enum Request {
    /// A part of a text.
    GetData {
        /// Where it begins.
        start: usize,
        /// What `start` counts.
        unit: Unit,
        /// At most so many bytes.
        max_size: usize,
        /// The revision.
        rev: u64,
    },
    /// How many lines the newest text has.
    LineCount {},
    /// What is selected.
    GetSelections {},
}

/// What a position counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes.
    Utf8,
    /// Lines, from 0.
    Line,
}

/// What a plugin says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", content = "params")]
pub enum Notification {
    /// New scopes; ids count on from those before.
    AddScopes {
        /// Stacks, outermost first.
        scopes: Vec<Vec<String>>,
    },
    /// What parts of a range are.
    UpdateSpans {
        /// Where the range begins.
        start: usize,
        /// Its length in bytes.
        len: usize,
        /// Relative to `start`.
        spans: Vec<ScopeSpan>,
        /// The revision.
        rev: u64,
    },
    /// An edit.
    Edit {
        /// The edit.
        edit: Edit,
    },
    /// Something for the user to read.
    Alert {
        /// What.
        msg: String,
    },
    /// A new status item.
    AddStatusItem {
        /// Its key.
        key: String,
        /// Its text.
        value: String,
        /// `left` or `right`.
        alignment: String,
    },
    /// Another text for a status item.
    UpdateStatusItem {
        /// Its key.
        key: String,
        /// Its text.
        value: String,
    },
    /// A status item goes.
    RemoveStatusItem {
        /// Its key.
        key: String,
    },
    /// The answer to `get_hover`.
    ShowHover {
        /// Which.
        request_id: u64,
        /// What it says.
        result: Result<Hover, Value>,
    },
    /// Notes about parts of a range.
    UpdateAnnotations {
        /// Where the range begins.
        start: usize,
        /// Its length in bytes.
        len: usize,
        /// Relative to `start`.
        spans: Vec<DataSpan>,
        /// What they are.
        annotation_type: AnnotationType,
        /// The revision.
        rev: u64,
    },
}

/// A part of a range and its scope.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ScopeSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// As counted by `add_scopes`.
    pub scope_id: usize,
}

/// A part of a range and what is said of it.
#[derive(Debug, Clone, Deserialize)]
pub struct DataSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What is said.
    pub data: Value,
}

/// What annotations are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum AnnotationType {
    /// A selection.
    Selection,
    /// Something found.
    Find,
    /// Something else.
    Other(String),
}

/// An edit of a plugin. Its `author` and `priority` are not taken: the author
/// is the plugin's name, and the user's text comes first.
#[derive(Debug, Clone, Deserialize)]
pub struct Edit {
    /// The revision that it was made against.
    pub rev: u64,
    /// The change.
    pub delta: Delta,
    /// The undo group of the update that it answers.
    #[serde(default)]
    pub undo_group: Option<u64>,
}

/// What a plugin says of a place.
#[derive(Debug, Clone, Deserialize)]
pub struct Hover {
    /// What to show.
    pub content: String,
    /// What it is about.
    #[serde(default)]
    pub range: Option<Range>,
}

/// A range of bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Range {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, for the log.
pub fn parse(line: &[u8]) -> Result<Incoming, String> {
    let mut value: Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let Some(object) = value.as_object_mut() else {
        return Err("not an object".to_owned());
    };
    let id = match object.get("id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(id.as_u64().ok_or("the id is no whole number")?),
    };
    if !object.contains_key("method") {
        let id = id.ok_or("neither a method nor an id")?;
        let error = object.remove("error");
        return Ok(Incoming::Response { id, error });
    }
    // A method without parameters of its own may have none at all but the view.
    let view = object
        .get_mut("params")
        .and_then(Value::as_object_mut)
        .and_then(|params| {
            params.remove("plugin_id");
            params.remove("view_id")
        })
        .and_then(|view| view.as_str()?.strip_prefix("view-id-")?.parse().ok());
    match (id, view) {
        (Some(id), Some(view)) => match serde_json::from_value(value) {
            Ok(request) => Ok(Incoming::Request { id, view, request }),
            Err(error) => Ok(Incoming::BadRequest {
                id,
                why: error.to_string(),
            }),
        },
        (Some(id), None) => Ok(Incoming::BadRequest {
            id,
            why: "it names no view".to_owned(),
        }),
        (None, Some(view)) => serde_json::from_value(value)
            .map(|notification| Incoming::Notification { view, notification })
            .map_err(|e| e.to_string()),
        (None, None) => Err("it names no view".to_owned()),
    }
}

/// How the dialect names a view.
pub fn view_name(view: u64) -> String {
    format!("view-id-{view}")
}

/// A notification's line.
pub fn notification(method: &str, params: &Value) -> Vec<u8> {
    line(&json!({"method": method, "params": params}))
}

/// A request's line.
pub fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({"id": id, "method": method, "params": params}))
}

/// An answer's line.
pub fn result(id: u64, result: &Value) -> Vec<u8> {
    line(&json!({"id": id, "result": result}))
}

/// An error's line.
pub fn error(id: u64, code: i64, message: &str) -> Vec<u8> {
    line(&json!({"id": id, "error": {"code": code, "message": message}}))
}

fn line(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}
