//! Melodies: workflows in TOML, checked before they are played.
//!
//! [`Melody::parse`] reads the text and checks all that the text alone can
//! tell; [`Melody::check`] checks it against the players there are. Both give
//! every problem found, each with its line.

pub mod check;
pub mod edit;
pub mod format;
mod locate;
pub mod problem;
pub mod template;

use format::{MelodyFile, NodeDeclaration, SCHEMA};
use indexmap::IndexMap;
use problem::{Problem, Problems};
use std::{collections::BTreeSet, time::Duration};
use symphony_core_ports::{PlayerRef, PortType};
use template::{Reference, Template};

/// A melody whose text is sound: names resolve, references parse, there is no cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Melody {
    /// The text as it was read.
    pub text: String,
    /// The file's path, for messages.
    pub origin: String,
    /// The text's content.
    pub file: MelodyFile,
    /// Its inputs' types.
    pub inputs: IndexMap<String, PortType>,
    /// Its nodes, each after those it needs.
    pub nodes: Vec<Node>,
    /// Its outputs.
    pub output: IndexMap<String, Reference>,
}

/// A node, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// As written.
    pub declaration: NodeDeclaration,
    /// Who plays it.
    pub player: PlayerRef,
    /// Inputs by port.
    pub with: IndexMap<String, Argument>,
    /// The list that it is executed over.
    pub for_each: Option<Reference>,
    /// When it is executed.
    pub when: Option<Condition>,
    /// What the model is asked, and told of its part.
    pub prompt: Option<Prompt>,
    /// How long a try may take.
    pub timeout: Option<Duration>,
    /// Wait before the second try.
    pub backoff: Duration,
    /// The nodes that must be done before.
    pub needs: BTreeSet<String>,
}

impl Node {
    /// What it does, for people.
    pub fn title(&self) -> &str {
        if self.declaration.title.is_empty() {
            &self.name
        } else {
            &self.declaration.title
        }
    }

    /// All references in it.
    pub fn references(&self) -> Vec<&Reference> {
        let mut all: Vec<&Reference> = self.with.values().flat_map(Argument::references).collect();
        all.extend(&self.for_each);
        all.extend(self.when.as_ref().map(|c| &c.reference));
        if let Some(prompt) = &self.prompt {
            all.extend(prompt.system.references());
            all.extend(prompt.user.references());
        }
        all
    }
}

/// The texts of a prompt, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// What the model is told of its part.
    pub system: Template,
    /// What it is asked.
    pub user: Template,
}

/// When a node is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whose value decides.
    pub reference: Reference,
    /// Whether it must not hold.
    pub negated: bool,
}

/// A value of `with`, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A literal.
    Literal(serde_json::Value),
    /// A text.
    Template(Template),
    /// A list with references in it; lists among them are joined, nulls left out.
    List(Vec<Argument>),
}

impl Argument {
    fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Template(template) => template.references(),
            Self::List(arguments) => arguments.iter().flat_map(Self::references).collect(),
        }
    }

    /// Puts values in the place of references.
    pub fn render(&self, look_up: &dyn Fn(&Reference) -> serde_json::Value) -> serde_json::Value {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Template(template) => template.render(look_up),
            Self::List(arguments) => {
                let mut joined = Vec::new();
                for argument in arguments {
                    match argument.render(look_up) {
                        serde_json::Value::Null => {}
                        serde_json::Value::Array(values) => joined.extend(values),
                        value => joined.push(value),
                    }
                }
                serde_json::Value::Array(joined)
            }
        }
    }
}

impl Melody {
    /// Reads a melody and checks what its text alone can tell.
    ///
    /// # Errors
    /// All problems found, with lines.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Problems> {
        let file: MelodyFile = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => return Err(Problems::one(origin, Problem::syntax(text, &error))),
        };
        let mut reader = Reader {
            text,
            problems: Vec::new(),
        };
        reader.header(&file);
        let inputs = reader.inputs(&file);
        let mut nodes: IndexMap<String, Node> = IndexMap::new();
        for (name, declaration) in &file.nodes {
            if let Some(node) = reader.node(name, declaration) {
                nodes.insert(name.clone(), node);
            }
        }
        let output = reader.output(&file);
        if reader.problems.is_empty() {
            reader.sources(&file, &inputs, &nodes, &output);
        }
        if reader.problems.is_empty() {
            match in_order(&mut nodes) {
                Ok(nodes) => {
                    return Ok(Self {
                        text: text.to_owned(),
                        origin: origin.to_owned(),
                        file,
                        inputs,
                        nodes,
                        output,
                    });
                }
                Err(cycle) => reader.cycle(&file, &cycle),
            }
        }
        Err(Problems {
            origin: origin.to_owned(),
            problems: reader.problems,
        })
    }

    /// A node by name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn report(&mut self, path: &[&str], message: String, help: &str) {
        let line = locate::line_of(self.text, path);
        self.problems.push(Problem {
            message,
            line,
            help: help.to_owned(),
        });
    }

    fn header(&mut self, file: &MelodyFile) {
        if file.schema != SCHEMA {
            let message = format!("`schema` is `{}`, expected `{SCHEMA}`", file.schema);
            self.report(
                &["schema"],
                message,
                "a newer Symphony may know this version",
            );
        }
        if !is_name(&file.name) {
            let message = format!("`{}` is no name for a melody", file.name);
            self.report(&["name"], message, "use lower-case letters, digits and `-`");
        }
        if file.nodes.is_empty() {
            self.report(
                &["nodes"],
                "the melody has no nodes".to_owned(),
                "add a table [nodes.NAME] with a `player`",
            );
        }
    }

    fn inputs(&mut self, file: &MelodyFile) -> IndexMap<String, PortType> {
        let mut inputs = IndexMap::new();
        for (name, declaration) in &file.inputs {
            let text = declaration.port_type();
            match text.parse::<PortType>() {
                Ok(port_type) => {
                    if let Some(default) = declaration.default_value()
                        && !port_type.admits(default)
                    {
                        let message = format!(
                            "the default of input `{name}` is {default}, expected {port_type}"
                        );
                        self.report(
                            &["inputs", name],
                            message,
                            "give a default of the input's type",
                        );
                    }
                    inputs.insert(name.clone(), port_type);
                }
                Err(error) => {
                    self.report(&["inputs", name], format!("input `{name}`: {error}"), "")
                }
            }
        }
        inputs
    }

    fn node(&mut self, name: &str, declaration: &NodeDeclaration) -> Option<Node> {
        let before = self.problems.len();
        if !is_name(&name.replace('_', "-")) || matches!(name, "inputs" | "item") {
            self.report(
                &["nodes", name],
                format!("`{name}` is no name for a node"),
                "use lower-case letters, digits, `-` and `_`; `inputs` and `item` are taken",
            );
        }
        let player = declaration.player.parse::<PlayerRef>().map_err(|e| {
            self.report(
                &["nodes", name, "player"],
                format!("node `{name}`: {e}"),
                "",
            );
        });
        let mut with = IndexMap::new();
        for (port, value) in &declaration.with {
            if let Some(argument) = self.argument(&["nodes", name, "with", port], name, value) {
                with.insert(port.clone(), argument);
            }
        }
        let for_each = declaration
            .for_each
            .as_deref()
            .and_then(|t| self.reference(name, "for_each", t));
        let when = declaration.when.as_deref().and_then(|text| {
            let negated = text.starts_with('!');
            let reference = self.reference(name, "when", text.trim_start_matches('!'))?;
            Some(Condition { reference, negated })
        });
        let prompt = declaration.prompt.as_ref().and_then(|p| {
            let system = self.template(&["nodes", name, "prompt", "system"], name, &p.system);
            let user = self.template(&["nodes", name, "prompt", "user"], name, &p.user);
            Some(Prompt {
                system: system?,
                user: user?,
            })
        });
        let timeout = declaration
            .timeout
            .as_deref()
            .and_then(|t| self.duration(name, &["nodes", name, "timeout"], t));
        let backoff = self.duration(name, &["nodes", name, "retry"], &declaration.retry.backoff);
        if self.problems.len() > before {
            return None;
        }
        let mut node = Node {
            name: name.to_owned(),
            declaration: declaration.clone(),
            player: player.ok()?,
            with,
            for_each,
            when,
            prompt,
            timeout,
            backoff: backoff?,
            needs: declaration.after.iter().cloned().collect(),
        };
        let sources: Vec<String> = node.references().iter().map(|r| r.source.clone()).collect();
        node.needs
            .extend(sources.into_iter().filter(|s| s != "inputs" && s != "item"));
        Some(node)
    }

    fn argument(
        &mut self,
        path: &[&str],
        node: &str,
        value: &serde_json::Value,
    ) -> Option<Argument> {
        match value {
            serde_json::Value::String(text) => {
                self.template(path, node, text).map(Argument::Template)
            }
            serde_json::Value::Array(values) => {
                let arguments: Vec<_> = values
                    .iter()
                    .map(|v| self.argument(path, node, v))
                    .collect();
                let arguments = arguments.into_iter().collect::<Option<Vec<_>>>()?;
                let plain = arguments.iter().all(|a| a.references().is_empty());
                Some(if plain {
                    Argument::Literal(value.clone())
                } else {
                    Argument::List(arguments)
                })
            }
            other => Some(Argument::Literal(other.clone())),
        }
    }

    fn template(&mut self, path: &[&str], node: &str, text: &str) -> Option<Template> {
        Template::parse(text)
            .map_err(|e| self.report(path, format!("node `{node}`: {e}"), ""))
            .ok()
    }

    fn reference(&mut self, node: &str, key: &str, text: &str) -> Option<Reference> {
        if let Ok(Template::Value(reference)) = Template::parse(text) {
            return Some(reference);
        }
        let message = format!(
            "node `{node}`: `{key}` is `{text}`, expected one reference such as {{find.items}}"
        );
        self.report(&["nodes", node, key], message, "");
        None
    }

    fn duration(&mut self, node: &str, path: &[&str], text: &str) -> Option<Duration> {
        let duration = parse_duration(text);
        if duration.is_none() {
            let message = format!("node `{node}`: `{text}` is no duration");
            self.report(path, message, "write e.g. `200ms`, `60s` or `5m`");
        }
        duration
    }

    fn output(&mut self, file: &MelodyFile) -> IndexMap<String, Reference> {
        let mut output = IndexMap::new();
        for (name, text) in &file.output {
            match Template::parse(text) {
                Ok(Template::Value(reference)) => {
                    output.insert(name.clone(), reference);
                }
                _ => {
                    let message = format!(
                        "output `{name}` is `{text}`, expected one reference such as {{stage.change_set}}"
                    );
                    self.report(&["output", name], message, "");
                }
            }
        }
        output
    }

    /// Every source that is referred to must exist.
    fn sources(
        &mut self,
        file: &MelodyFile,
        inputs: &IndexMap<String, PortType>,
        nodes: &IndexMap<String, Node>,
        output: &IndexMap<String, Reference>,
    ) {
        let names: Vec<&str> = file.nodes.keys().map(String::as_str).collect();
        let known_inputs: Vec<&str> = inputs.keys().map(String::as_str).collect();
        let places = nodes
            .values()
            .flat_map(|node| node.references().into_iter().map(move |r| (Some(node), r)));
        for (node, reference) in places.chain(output.values().map(|r| (None, r))) {
            let place =
                node.map_or_else(|| "the output".to_owned(), |n| format!("node `{}`", n.name));
            let path: Vec<&str> =
                node.map_or_else(|| vec!["output"], |n| vec!["nodes", n.name.as_str()]);
            let (message, known) = match reference.source.as_str() {
                "inputs" if inputs.contains_key(&reference.path[0]) => continue,
                "inputs" => (
                    format!("{place} refers to {reference}: there is no such input"),
                    &known_inputs,
                ),
                "item" if node.is_some_and(|n| n.for_each.is_some()) => continue,
                "item" => {
                    self.report(
                        &path,
                        format!("{place} refers to {reference} without `for_each`"),
                        "add `for_each = \"{node.list}\"`",
                    );
                    continue;
                }
                source if nodes.contains_key(source) => continue,
                source => (
                    format!("{place} refers to {reference}: there is no node `{source}`"),
                    &names,
                ),
            };
            let wanted = if reference.source == "inputs" {
                &reference.path[0]
            } else {
                &reference.source
            };
            self.report(&path, message, &problem::nearest(wanted, known));
        }
        for node in nodes.values() {
            for before in &node.declaration.after {
                if !nodes.contains_key(before) {
                    let message = format!(
                        "node `{}` comes after `{before}`: there is no such node",
                        node.name
                    );
                    self.report(
                        &["nodes", &node.name, "after"],
                        message,
                        &problem::nearest(before, &names),
                    );
                }
            }
        }
    }

    fn cycle(&mut self, file: &MelodyFile, cycle: &[String]) {
        let first = cycle.first().map_or("", String::as_str);
        let message = format!("melody `{}` has a cycle: {}", file.name, cycle.join(" → "));
        self.report(&["nodes", first], message, "take one of these edges out");
    }
}

/// Sorts nodes so that each comes after those it needs; else gives a cycle's path.
fn in_order(nodes: &mut IndexMap<String, Node>) -> Result<Vec<Node>, Vec<String>> {
    let mut sorted: Vec<Node> = Vec::with_capacity(nodes.len());
    while !nodes.is_empty() {
        let ready = nodes
            .iter()
            .find(|(_, node)| node.needs.iter().all(|n| !nodes.contains_key(n)));
        let Some(name) = ready.map(|(name, _)| name.clone()) else {
            return Err(find_cycle(nodes));
        };
        sorted.extend(nodes.shift_remove(&name));
    }
    Ok(sorted)
}

/// Follows needs among nodes that all wait for one of them until a name repeats.
fn find_cycle(nodes: &IndexMap<String, Node>) -> Vec<String> {
    let mut path: Vec<String> = nodes.keys().take(1).cloned().collect();
    while let Some(next) = path
        .last()
        .and_then(|at| nodes.get(at))
        .and_then(|node| node.needs.iter().find(|n| nodes.contains_key(*n)))
    {
        if let Some(start) = path.iter().position(|name| name == next) {
            let mut cycle = path.split_off(start);
            cycle.push(next.clone());
            // Needs point backwards; people read along the flow.
            cycle.reverse();
            return cycle;
        }
        path.push(next.clone());
    }
    path
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Reads `200ms`, `60s`, `5m` or `1h`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..split].parse().ok()?;
    let milliseconds = match &text[split..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}
