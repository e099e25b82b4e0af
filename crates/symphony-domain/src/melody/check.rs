//! Checks a melody against the players there are: ports, types, capabilities.

use super::{
    Argument, Melody, Node, locate,
    problem::{Problem, Problems, nearest},
    template::{Reference, Template},
};
use std::collections::BTreeMap;
use symphony_core_ports::{
    ExtensionManifest, ExtensionType, InputPort, OutputPort, PlayerRef, PortType,
};

/// The players that a melody may name.
#[derive(Debug, Clone, Default)]
pub struct Players {
    manifests: BTreeMap<PlayerRef, ExtensionManifest>,
}

impl Players {
    /// From their manifests.
    pub fn new(manifests: impl IntoIterator<Item = ExtensionManifest>) -> Self {
        Self {
            manifests: manifests.into_iter().map(|m| (m.player(), m)).collect(),
        }
    }

    /// A player by name.
    pub fn get(&self, player: &PlayerRef) -> Option<&ExtensionManifest> {
        self.manifests.get(player)
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &ExtensionManifest> {
        self.manifests.values()
    }

    /// The Instruments that can do all of `needs`.
    pub fn instruments_for<'a>(
        &'a self,
        needs: &'a [String],
    ) -> impl Iterator<Item = &'a ExtensionManifest> {
        self.manifests.values().filter(|m| {
            m.extension_type == ExtensionType::Instrument
                && needs.iter().all(|n| m.capabilities.contains(n))
        })
    }

    /// Whose ports a node has: its player's, or those of the first Instrument that could play it.
    fn ports_of<'a>(&'a self, node: &'a Node) -> Option<&'a ExtensionManifest> {
        match node.player.id {
            Some(_) => self.get(&node.player),
            None => self.instruments_for(&node.declaration.needs).next(),
        }
    }
}

impl Melody {
    /// Checks players, ports and types.
    ///
    /// # Errors
    /// All problems found; each names the node and the port, what was found and what was expected.
    pub fn check(&self, players: &Players) -> Result<(), Problems> {
        let mut checker = Checker {
            melody: self,
            players,
            problems: Vec::new(),
        };
        for node in &self.nodes {
            checker.node(node);
        }
        for (name, reference) in &self.output {
            if let Err(message) = checker.type_of(reference, None) {
                checker.report(
                    &["output", name],
                    format!("output `{name}`: {message}"),
                    String::new(),
                );
            }
        }
        match checker.problems {
            problems if problems.is_empty() => Ok(()),
            problems => Err(Problems {
                origin: self.origin.clone(),
                problems,
            }),
        }
    }
}

struct Checker<'a> {
    melody: &'a Melody,
    players: &'a Players,
    problems: Vec<Problem>,
}

/// Every node has this output besides those of its player: who played it.
pub const PLAYER_PORT: &str = "player";

/// Ports that a prompt fills.
const PROMPT_PORTS: [&str; 4] = ["messages", "schema", "max_tokens", "temperature"];

impl Checker<'_> {
    fn report(&mut self, path: &[&str], message: String, help: String) {
        let line = locate::line_of(&self.melody.text, path);
        self.problems.push(Problem {
            message,
            line,
            help,
        });
    }

    fn node(&mut self, node: &Node) {
        let name = node.name.as_str();
        let Some(manifest) = self.players.ports_of(node) else {
            return self.missing_player(node);
        };
        let manifest = manifest.clone();
        if let Some(lacking) = node
            .declaration
            .needs
            .iter()
            .find(|n| !manifest.capabilities.contains(n))
        {
            let message = format!(
                "node `{name}` needs `{lacking}`, which `{}` cannot do",
                node.player
            );
            self.report(
                &["nodes", name, "needs"],
                message,
                format!("it can do: {}", manifest.capabilities.join(", ")),
            );
        }
        if node.prompt.is_some() && manifest.extension_type != ExtensionType::Instrument {
            let message = format!(
                "node `{name}` has a prompt, but `{}` is no Instrument",
                node.player
            );
            self.report(
                &["nodes", name, "prompt"],
                message,
                "give its inputs in `with`".to_owned(),
            );
        }
        let item = self.item_type(node);
        for (port, argument) in &node.with {
            match manifest.inputs.get(port) {
                Some(input) => self.argument(node, port, argument, input, item.as_ref()),
                None => self.unknown_port(node, port, &manifest),
            }
        }
        for (port, input) in &manifest.inputs {
            let given = node.with.contains_key(port)
                || (node.prompt.is_some() && PROMPT_PORTS.contains(&port.as_str()));
            if !given && input.default.is_none() && !input.optional {
                let message = format!(
                    "node `{name}`: the port `{port}` of `{}` ({}) is not wired",
                    node.player, input.port_type
                );
                self.report(
                    &["nodes", name],
                    message,
                    format!("add `{port} = …` to its `with`"),
                );
            }
        }
        let texts = node
            .prompt
            .iter()
            .flat_map(|p| p.system.references().into_iter().chain(p.user.references()));
        for reference in texts.chain(node.when.iter().map(|c| &c.reference)) {
            if let Err(message) = self.type_of(reference, item.as_ref()) {
                self.report(
                    &["nodes", name],
                    format!("node `{name}`: {message}"),
                    String::new(),
                );
            }
        }
    }

    fn missing_player(&mut self, node: &Node) {
        let name = node.name.as_str();
        let (message, help) = if node.player.id.is_some() {
            let known: Vec<String> = self
                .players
                .manifests
                .keys()
                .map(ToString::to_string)
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = nearest(&node.player.to_string(), &known);
            (
                format!(
                    "node `{name}`: the extension `{}` is not installed",
                    node.player
                ),
                help,
            )
        } else {
            let needs = node.declaration.needs.join(", ");
            let help = "`symphony models --help` tells how to connect one".to_owned();
            (
                format!("node `{name}`: no Instrument can do all of: {needs}"),
                help,
            )
        };
        self.report(&["nodes", name, "player"], message, help);
    }

    fn unknown_port(&mut self, node: &Node, port: &str, manifest: &ExtensionManifest) {
        let known: Vec<&str> = manifest.inputs.keys().map(String::as_str).collect();
        let message = format!(
            "node `{}`: `{}` has no input port `{port}`",
            node.name, node.player
        );
        self.report(
            &["nodes", &node.name, "with", port],
            message,
            nearest(port, &known),
        );
    }

    fn item_type(&mut self, node: &Node) -> Option<PortType> {
        let list = node.for_each.as_ref()?;
        let found = match self.type_of(list, None) {
            Ok(PortType::List(inner)) => return Some(*inner),
            Ok(PortType::Json) => return Some(PortType::Json),
            Ok(other) => format!(
                "node `{}`: `for_each` is {list} of type {other}, expected a list",
                node.name
            ),
            Err(message) => format!("node `{}`: {message}", node.name),
        };
        self.report(&["nodes", &node.name, "for_each"], found, String::new());
        Some(PortType::Json)
    }

    fn argument(
        &mut self,
        node: &Node,
        port: &str,
        argument: &Argument,
        input: &InputPort,
        item: Option<&PortType>,
    ) {
        let expected = &input.port_type;
        let problem = match argument {
            Argument::Literal(value) if expected.admits(value) => return,
            Argument::Literal(value) => format!("is {value}"),
            Argument::Template(Template::Text(_)) if PortType::Text.fits(expected) => return,
            Argument::Template(Template::Text(_)) => "is a text".to_owned(),
            Argument::Template(Template::Value(reference)) => match self.type_of(reference, item) {
                Ok(found) if found.fits(expected) => return,
                Ok(found) => format!("gets {reference} of type {found}"),
                Err(message) => message,
            },
            Argument::List(arguments) => {
                let element = match expected {
                    PortType::List(inner) => (**inner).clone(),
                    other => other.clone(),
                };
                for argument in arguments {
                    // An element is either one value or a list that is joined.
                    let joined = match argument {
                        Argument::Template(Template::Value(r)) => {
                            self.type_of(r, item).is_ok_and(|t| t.fits(expected))
                        }
                        _ => false,
                    };
                    if !joined {
                        let input = InputPort {
                            port_type: element.clone(),
                            ..input.clone()
                        };
                        self.argument(node, port, argument, &input, item);
                    }
                }
                return;
            }
        };
        let message = format!(
            "node `{}`: the port `{port}` of `{}` {problem}, expected {expected}",
            node.name, node.player
        );
        self.report(&["nodes", &node.name, "with", port], message, String::new());
    }

    /// The type of what a reference gives, or why it gives nothing.
    fn type_of(&self, reference: &Reference, item: Option<&PortType>) -> Result<PortType, String> {
        let (base, fields) = match reference.source.as_str() {
            "item" => (item.cloned().unwrap_or(PortType::Json), &reference.path[..]),
            "inputs" => (
                self.melody.inputs[&reference.path[0]].clone(),
                &reference.path[1..],
            ),
            source => (
                self.output_type(source, &reference.path[0], reference)?,
                &reference.path[1..],
            ),
        };
        if fields.is_empty() {
            return Ok(base);
        }
        match base {
            // What fields hold is known only when the melody plays.
            PortType::Json | PortType::Record(_) => Ok(PortType::Json),
            other => Err(format!(
                "{reference} takes a field of a value of type {other}"
            )),
        }
    }

    fn output_type(
        &self,
        source: &str,
        port: &str,
        reference: &Reference,
    ) -> Result<PortType, String> {
        let Some(node) = self.melody.node(source) else {
            return Err(format!("there is no node `{source}`"));
        };
        if port == PLAYER_PORT {
            return Ok(PortType::Text);
        }
        let Some(manifest) = self.players.ports_of(node) else {
            // Reported at that node already.
            return Ok(PortType::Json);
        };
        let Some(OutputPort { port_type, .. }) = manifest.outputs.get(port) else {
            let known: Vec<&str> = manifest.outputs.keys().map(String::as_str).collect();
            let help = nearest(port, &known);
            return Err(format!(
                "{reference}: `{}` has no output port `{port}`; {help}",
                node.player
            ));
        };
        Ok(if node.for_each.is_some() {
            port_type.clone().list()
        } else {
            port_type.clone()
        })
    }
}

impl Melody {
    /// The types of the melody's outputs; an output that does not check is left out.
    pub fn output_types(&self, players: &Players) -> BTreeMap<String, PortType> {
        let checker = Checker {
            melody: self,
            players,
            problems: Vec::new(),
        };
        let typed = |(name, reference): (&String, &Reference)| {
            Some((name.clone(), checker.type_of(reference, None).ok()?))
        };
        self.output.iter().filter_map(typed).collect()
    }
}
