//! What a request of ours is to a server, and what its answer is to us.

use super::documents::{Asked, Document, Documents, FileText};
use super::positions::Source;
use crate::companion::Reply;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{BufferKey, ItemKey, RevisionNumber, Span, XiRequest};

/// So many lists of items are held a server.
const MAX_LISTS: usize = 8;

/// A request that a server answers.
pub trait Feature: XiRequest + Send + 'static {
    /// The capability that a server must have; empty: any has it.
    const CAPABILITY: &'static str;

    /// The buffer whose server is asked.
    fn buffer(&self) -> BufferKey;

    /// The method and parameters to ask with.
    ///
    /// # Errors
    /// When the request does not fit the text.
    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError>;

    /// What the server's answer means.
    ///
    /// # Errors
    /// When it cannot be understood.
    fn answer(
        self,
        answer: Value,
        asked: &Asked,
        context: &mut Context<'_>,
    ) -> Result<Self::Answer, RpcError>;
}

/// What a feature may look at.
pub struct Context<'a> {
    /// The open texts.
    pub documents: &'a Documents,
    /// The buffer asked about, as it is now.
    pub document: &'a Document,
    /// Lists given out before.
    pub held: &'a mut Held,
    /// What the server said against the buffer, in its words, positions of now.
    pub diagnostics: &'a [(Span, Value)],
    /// Edits that the server wanted made while it ran a command.
    pub wanted: Vec<Value>,
    /// What the server can do.
    pub capabilities: &'a Value,
}

impl Context<'_> {
    /// Refuses what the server cannot do.
    ///
    /// # Errors
    /// UNSUPPORTED.
    pub fn needs(&self, capability: &str) -> Result<(), RpcError> {
        if capability.is_empty() || is_offered(self.capabilities, capability) {
            return Ok(());
        }
        let what = capability.trim_end_matches("Provider");
        let why = format!("the language server does not offer `{what}`");
        let data = serde_json::json!({"reason": "not_offered"});
        Err(RpcError::new(code::UNSUPPORTED, why).with_data(data))
    }

    /// The texts of files that an answer names, each read once.
    pub fn files(&self) -> Files<'_> {
        Files {
            documents: self.documents,
            read: BTreeMap::new(),
        }
    }
}

/// Whether a server says that it can do something.
pub fn is_offered(capabilities: &Value, capability: &str) -> bool {
    !matches!(
        capabilities.get(capability),
        None | Some(Value::Null | Value::Bool(false))
    )
}

/// Texts of files, each read once.
pub struct Files<'a> {
    documents: &'a Documents,
    read: BTreeMap<String, Option<FileText>>,
}

impl Files<'_> {
    /// The text of a file as the server knew it when it was asked; `None` when
    /// that cannot be had.
    pub fn get(&mut self, uri: &str, asked: &Asked) -> Option<&FileText> {
        let documents = self.documents;
        let find = || {
            let text = documents.text_of(uri)?;
            match text.buffer {
                Some((buffer, _)) => at_revision(documents, text, *asked.revisions.get(&buffer)?),
                None => Some(text),
            }
        };
        let entry = self.read.entry(uri.to_owned());
        entry.or_insert_with(find).as_ref()
    }

    /// As [`Files::get`], of the revision that the server names, if it does.
    pub fn get_at(&mut self, uri: &str, version: Option<u64>, asked: &Asked) -> Option<FileText> {
        let text = self.get(uri, asked)?.clone();
        match version {
            Some(version) if text.buffer.is_some() => at_revision(self.documents, text, version),
            _ => Some(text),
        }
    }
}

/// The text of a buffer at a revision.
fn at_revision(
    documents: &Documents,
    mut text: FileText,
    revision: RevisionNumber,
) -> Option<FileText> {
    let (buffer, known) = text.buffer.as_mut()?;
    text.source = documents.get(*buffer)?.at(revision)?.clone();
    *known = revision;
    Some(text)
}

/// A list of items, in the words of the server.
pub struct List {
    id: u64,
    /// What was asked.
    pub asked: Asked,
    /// The place asked about.
    pub at: usize,
    /// The items.
    pub items: Vec<Value>,
}

/// The newest lists of a server.
#[derive(Default)]
pub struct Held {
    lists: VecDeque<List>,
    next: u64,
}

impl Held {
    /// Holds a list; its name comes back.
    pub fn add(&mut self, asked: Asked, at: usize, items: Vec<Value>) -> u64 {
        let id = self.next;
        self.next += 1;
        if self.lists.len() == MAX_LISTS {
            self.lists.pop_front();
        }
        let list = List {
            id,
            asked,
            at,
            items,
        };
        self.lists.push_back(list);
        id
    }

    /// An item and its list.
    ///
    /// # Errors
    /// NOT_FOUND when it is not held any more.
    pub fn item(&self, buffer: BufferKey, key: ItemKey) -> Result<(&List, &Value), RpcError> {
        let list = self.lists.iter().find(|l| l.id == key.list);
        list.filter(|list| list.asked.buffer == buffer)
            .and_then(|list| Some((list, list.items.get(key.item)?)))
            .ok_or_else(|| {
                let why = format!("list {} is not held any more: ask again", key.list);
                RpcError::new(code::NOT_FOUND, why)
            })
    }

    /// Puts a more complete item in the place of one.
    pub fn put(&mut self, key: ItemKey, item: Value) {
        let list = self.lists.iter_mut().find(|l| l.id == key.list);
        if let Some(place) = list.and_then(|l| l.items.get_mut(key.item)) {
            *place = item;
        }
    }

    /// Forgets all; names are not used again.
    pub fn clear(&mut self) {
        self.lists.clear();
    }
}

/// A request on its way, whatever its type.
pub trait Ask: Send {
    /// The buffer whose server is asked.
    fn buffer(&self) -> BufferKey;
    /// The capability that the server must have.
    fn capability(&self) -> &'static str;
    /// Our method.
    fn method(&self) -> &'static str;
    /// Whether nobody waits for the answer.
    fn is_cancelled(&self) -> bool;
    /// As [`Feature::question`].
    ///
    /// # Errors
    /// As there.
    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError>;
    /// Answers with what the server said.
    fn finish(self: Box<Self>, answer: Value, asked: &Asked, context: &mut Context<'_>);
    /// Answers with an error.
    fn refuse(self: Box<Self>, error: RpcError);
}

/// A request and the way to answer it.
pub struct Asking<F: Feature> {
    /// The request.
    pub request: F,
    /// The way to answer.
    pub reply: Reply<F>,
}

impl<F: Feature> Ask for Asking<F> {
    fn buffer(&self) -> BufferKey {
        self.request.buffer()
    }

    fn capability(&self) -> &'static str {
        F::CAPABILITY
    }

    fn method(&self) -> &'static str {
        F::METHOD
    }

    fn is_cancelled(&self) -> bool {
        self.reply.is_cancelled()
    }

    fn question(
        &self,
        asked: &Asked,
        context: &Context<'_>,
    ) -> Result<(&'static str, Value), RpcError> {
        self.request.question(asked, context)
    }

    fn finish(self: Box<Self>, answer: Value, asked: &Asked, context: &mut Context<'_>) {
        let Self { request, reply } = *self;
        reply.give(request.answer(answer, asked, context));
    }

    fn refuse(self: Box<Self>, error: RpcError) {
        self.reply.give(Err(error));
    }
}

/// A request that the server has not answered.
pub struct Pending {
    /// The request.
    pub ask: Box<dyn Ask>,
    /// What the server was asked about.
    pub asked: Asked,
    /// When it is given up.
    pub deadline: Instant,
}

/// A request that waits for its server to be ready.
pub struct Queued {
    /// The request.
    pub ask: Box<dyn Ask>,
    /// When it is given up.
    pub deadline: Instant,
}

/// The error of a request that took too long.
pub fn too_late(server: &str, method: &str, after: Duration) -> RpcError {
    let why = format!(
        "{server} did not answer `{method}` within {} ms",
        after.as_millis()
    );
    RpcError::new(code::TIMEOUT, why)
}

/// The error of an answer that is not as the protocol says.
pub fn misunderstood(why: impl std::fmt::Display) -> RpcError {
    let why = format!("the language server's answer cannot be understood: {why}");
    RpcError::new(code::UPSTREAM, why).with_data(serde_json::json!({"retryable": false}))
}

/// Reads an answer; `null` is the default.
///
/// # Errors
/// [`misunderstood`].
pub fn read<T: serde::de::DeserializeOwned + Default>(answer: Value) -> Result<T, RpcError> {
    if answer.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(answer).map_err(misunderstood)
}

/// The items of a list that can be read; others are left out, as servers err in details.
pub fn read_each<T: serde::de::DeserializeOwned>(items: &[Value]) -> impl Iterator<Item = T> {
    items.iter().filter_map(|item| {
        serde::Deserialize::deserialize(item)
            .inspect_err(|error| tracing::debug!(%error, "an item cannot be understood"))
            .ok()
    })
}

/// The word before a place: what is being typed.
pub fn word_before(source: &Source, at: usize) -> usize {
    let (start, _) = source.line(source.line_at(at));
    let before = source.text().slice(start.min(at), at);
    let word = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || *c == '_' || *c == '$')
        .last();
    word.map_or(at, |(i, _)| start + i)
}
