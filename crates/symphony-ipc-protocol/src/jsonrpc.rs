//! JSON-RPC 2.0 messages, parsed and written one line each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::fmt;

/// The longest line that is accepted, in bytes. Longer input is answered with an error.
pub const MAX_LINE_BYTES: usize = 256 * 1024 * 1024;

/// A request's identifier, echoed in its response.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    /// A number, the form that Symphony itself sends.
    Number(i64),
    /// A string, accepted from any client.
    Text(String),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(s) => write!(f, "{s:?}"),
        }
    }
}

/// One JSON-RPC 2.0 message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A call that expects a [`Message::Response`] with the same id.
    Request {
        /// Echoed in the response.
        id: RequestId,
        /// The method's name.
        method: String,
        /// An object, an array or null.
        params: Value,
    },
    /// A message without an answer.
    Notification {
        /// The method's name.
        method: String,
        /// An object, an array or null.
        params: Value,
    },
    /// The answer to a request.
    Response {
        /// The request's id; `None` where the request's id could not be read.
        id: Option<RequestId>,
        /// The result, or why there is none.
        outcome: Result<Value, RpcError>,
    },
}

/// An error reply of JSON-RPC 2.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// One of [`code`], or a code of the peer's own.
    pub code: i64,
    /// What was wrong, for people.
    pub message: String,
    /// What was wrong, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Error codes: those of JSON-RPC 2.0, then Symphony's own.
pub mod code {
    /// The line is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// The JSON is no valid message.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The parameters do not fit the method.
    pub const INVALID_PARAMS: i64 = -32602;
    /// A fault of the callee.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// The call was cancelled by its caller.
    pub const CANCELLED: i64 = -32800;
    /// What the call names does not exist.
    pub const NOT_FOUND: i64 = -32001;
    /// The call contradicts what happened meanwhile; `data` says where.
    pub const CONFLICT: i64 = -32002;
    /// The caller may not do this.
    pub const REFUSED: i64 = -32003;
    /// The callee cannot do this with this input (binary file, too large, …).
    pub const UNSUPPORTED: i64 = -32004;
    /// The operating system refused; `data.os_error` holds its number where known.
    pub const IO: i64 = -32005;
    /// Something took longer than it may.
    pub const TIMEOUT: i64 = -32006;
    /// Too much at once; trying again later may work. `data.retry_after_ms` may say when.
    pub const BUSY: i64 = -32007;
    /// Another service (a model's server) failed; `data.retryable` says whether to try again.
    pub const UPSTREAM: i64 = -32008;
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same error with data for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The parameters of `method` are wrong.
    pub fn invalid_params(method: &str, why: impl fmt::Display) -> Self {
        Self::new(
            code::INVALID_PARAMS,
            format!("invalid parameters of `{method}`: {why}"),
        )
    }

    /// No method of this name.
    pub fn method_not_found(method: &str) -> Self {
        Self::new(code::METHOD_NOT_FOUND, format!("unknown method `{method}`"))
    }
}

/// A line that is no message, with the reply that its sender should get.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Malformed {
    /// The id, where it could be read.
    pub id: Option<RequestId>,
    /// What was wrong.
    #[source]
    pub error: Box<RpcError>,
}

impl Malformed {
    fn new(id: Option<RequestId>, code: i64, why: impl Into<String>) -> Self {
        Self {
            id,
            error: Box::new(RpcError::new(code, why)),
        }
    }

    /// The error reply for the sender of the malformed line.
    pub fn into_reply(self) -> Message {
        Message::Response {
            id: self.id,
            outcome: Err(*self.error),
        }
    }
}

impl Message {
    /// A request with serialisable parameters.
    ///
    /// # Errors
    /// When `params` cannot be written as JSON.
    pub fn request(
        id: RequestId,
        method: &str,
        params: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::Request {
            id,
            method: method.to_owned(),
            params: serde_json::to_value(params)?,
        })
    }

    /// A notification with serialisable parameters.
    ///
    /// # Errors
    /// When `params` cannot be written as JSON.
    pub fn notification(method: &str, params: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self::Notification {
            method: method.to_owned(),
            params: serde_json::to_value(params)?,
        })
    }

    /// Parses one line (without or with its line end).
    ///
    /// # Errors
    /// [`Malformed`], which holds the reply that the sender should get.
    pub fn parse(line: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(line).map_err(|e| {
            Malformed::new(
                None,
                code::PARSE_ERROR,
                format!("the line is not UTF-8 (byte {})", e.valid_up_to()),
            )
        })?;
        if text.trim().is_empty() {
            return Err(Malformed::new(
                None,
                code::INVALID_REQUEST,
                "the line is empty",
            ));
        }
        let value: Value = serde_json::from_str(text).map_err(|e| {
            Malformed::new(
                None,
                code::PARSE_ERROR,
                format!("the line is not JSON: {e}"),
            )
        })?;
        match value {
            Value::Object(object) => Self::from_object(object),
            Value::Array(_) => Err(Malformed::new(
                None,
                code::INVALID_REQUEST,
                "batches are not supported: send one message a line",
            )),
            _ => Err(Malformed::new(
                None,
                code::INVALID_REQUEST,
                "a message is a JSON object",
            )),
        }
    }

    fn from_object(mut object: Map<String, Value>) -> Result<Self, Malformed> {
        let has_id = object.contains_key("id");
        let id = match object.remove("id") {
            None | Some(Value::Null) => None,
            Some(value) => Some(serde_json::from_value::<RequestId>(value).map_err(|_| {
                Malformed::new(
                    None,
                    code::INVALID_REQUEST,
                    "`id` is neither an integer nor a string",
                )
            })?),
        };
        let invalid = |why: &str| Malformed::new(id.clone(), code::INVALID_REQUEST, why);
        if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(invalid("`jsonrpc` must be \"2.0\""));
        }
        if let Some(method) = object.remove("method") {
            let Value::String(method) = method else {
                return Err(invalid("`method` must be a string"));
            };
            let params = object.remove("params").unwrap_or(Value::Null);
            if !matches!(params, Value::Object(_) | Value::Array(_) | Value::Null) {
                return Err(invalid("`params` must be an object or an array"));
            }
            return match id {
                Some(id) => Ok(Self::Request { id, method, params }),
                None if has_id => Err(invalid("the `id` of a request may not be null")),
                None => Ok(Self::Notification { method, params }),
            };
        }
        match (object.remove("result"), object.remove("error")) {
            (Some(result), None) => Ok(Self::Response {
                id,
                outcome: Ok(result),
            }),
            (None, Some(error)) => {
                let error = serde_json::from_value(error)
                    .map_err(|e| invalid(&format!("`error` is no error object: {e}")))?;
                Ok(Self::Response {
                    id,
                    outcome: Err(error),
                })
            }
            (Some(_), Some(_)) => Err(invalid("a response has `result` or `error`, not both")),
            (None, None) => Err(invalid(
                "neither `method` nor `result` nor `error` is there",
            )),
        }
    }

    /// The message as one line, with its line end.
    pub fn to_line(&self) -> String {
        let mut object = Map::new();
        object.insert("jsonrpc".to_owned(), Value::from("2.0"));
        match self {
            Self::Request { id, method, params } => {
                object.insert("id".to_owned(), id_value(Some(id)));
                object.insert("method".to_owned(), Value::from(method.as_str()));
                insert_params(&mut object, params);
            }
            Self::Notification { method, params } => {
                object.insert("method".to_owned(), Value::from(method.as_str()));
                insert_params(&mut object, params);
            }
            Self::Response { id, outcome } => {
                object.insert("id".to_owned(), id_value(id.as_ref()));
                match outcome {
                    Ok(result) => object.insert("result".to_owned(), result.clone()),
                    Err(error) => object.insert("error".to_owned(), error_value(error)),
                };
            }
        }
        // A JSON object of JSON values always serialises.
        let mut line = Value::Object(object).to_string();
        line.push('\n');
        line
    }
}

fn insert_params(object: &mut Map<String, Value>, params: &Value) {
    if !params.is_null() {
        object.insert("params".to_owned(), params.clone());
    }
}

fn id_value(id: Option<&RequestId>) -> Value {
    match id {
        None => Value::Null,
        Some(RequestId::Number(n)) => Value::from(*n),
        Some(RequestId::Text(s)) => Value::from(s.as_str()),
    }
}

fn error_value(error: &RpcError) -> Value {
    let mut object = Map::new();
    object.insert("code".to_owned(), Value::from(error.code));
    object.insert("message".to_owned(), Value::from(error.message.as_str()));
    if let Some(data) = &error.data {
        object.insert("data".to_owned(), data.clone());
    }
    Value::Object(object)
}

/// Reads the parameters of `method` into a type.
///
/// # Errors
/// [`code::INVALID_PARAMS`] naming the method and the field.
pub fn params<T: DeserializeOwned>(method: &str, params: Value) -> Result<T, RpcError> {
    let params = if params.is_null() {
        Value::Object(Map::new())
    } else {
        params
    };
    serde_json::from_value(params).map_err(|e| RpcError::invalid_params(method, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn parses_the_four_forms() {
        let request =
            Message::parse(br#"{"jsonrpc":"2.0","id":1,"method":"open","params":{"path":"a"}}"#)
                .unwrap();
        assert_eq!(
            request,
            Message::Request {
                id: RequestId::Number(1),
                method: "open".into(),
                params: json!({"path":"a"})
            }
        );
        let notification = Message::parse(br#"{"jsonrpc":"2.0","method":"bye"}"#).unwrap();
        assert_eq!(
            notification,
            Message::Notification {
                method: "bye".into(),
                params: Value::Null
            }
        );
        let result = Message::parse(br#"{"jsonrpc":"2.0","id":"x","result":null}"#).unwrap();
        assert_eq!(
            result,
            Message::Response {
                id: Some(RequestId::Text("x".into())),
                outcome: Ok(Value::Null)
            }
        );
        let error =
            Message::parse(br#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}}"#)
                .unwrap();
        assert_eq!(
            error,
            Message::Response {
                id: None,
                outcome: Err(RpcError::new(-1, "no"))
            }
        );
    }

    #[test]
    fn a_bad_line_names_what_is_wrong_and_keeps_the_id() {
        let cases: [(&[u8], i64, &str); 9] = [
            (b"", code::INVALID_REQUEST, "empty"),
            (b"{", code::PARSE_ERROR, "not JSON"),
            (b"\xff", code::PARSE_ERROR, "not UTF-8"),
            (b"[]", code::INVALID_REQUEST, "batches"),
            (b"3", code::INVALID_REQUEST, "object"),
            (
                br#"{"id":7,"method":"x"}"#,
                code::INVALID_REQUEST,
                "jsonrpc",
            ),
            (
                br#"{"jsonrpc":"2.0","id":7,"method":4}"#,
                code::INVALID_REQUEST,
                "`method`",
            ),
            (
                br#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#,
                code::INVALID_REQUEST,
                "`id`",
            ),
            (
                br#"{"jsonrpc":"2.0","id":7}"#,
                code::INVALID_REQUEST,
                "neither",
            ),
        ];
        for (line, code, part) in cases {
            let malformed = Message::parse(line).unwrap_err();
            assert_eq!(malformed.error.code, code);
            assert!(
                malformed.error.message.contains(part),
                "{}",
                malformed.error.message
            );
        }
        let malformed = Message::parse(br#"{"id":7,"method":"x"}"#).unwrap_err();
        assert_eq!(malformed.id, Some(RequestId::Number(7)));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    fn message() -> impl Strategy<Value = Message> {
        let id = prop_oneof![
            any::<i64>().prop_map(RequestId::Number),
            any::<String>().prop_map(RequestId::Text)
        ];
        let params = prop_oneof![
            Just(Value::Null),
            proptest::collection::btree_map(any::<String>(), json_value(), 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect()))
        ];
        let error = (
            any::<i64>(),
            any::<String>(),
            proptest::option::of(
                json_value().prop_filter("null data is absent data", |v| !v.is_null()),
            ),
        )
            .prop_map(|(code, message, data)| RpcError {
                code,
                message,
                data,
            });
        prop_oneof![
            (id.clone(), any::<String>(), params.clone())
                .prop_map(|(id, method, params)| Message::Request { id, method, params }),
            (any::<String>(), params)
                .prop_map(|(method, params)| Message::Notification { method, params }),
            (
                proptest::option::of(id),
                prop_oneof![json_value().prop_map(Ok), error.prop_map(Err)]
            )
                .prop_map(|(id, outcome)| Message::Response { id, outcome }),
        ]
    }

    proptest! {
        #[test]
        fn every_message_survives_its_line(message in message()) {
            let line = message.to_line();
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert_eq!(Message::parse(line.as_bytes()).unwrap(), message);
        }

        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&line);
        }
    }
}
