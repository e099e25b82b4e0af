//! Asks a server which models it has.

use crate::{
    api::{CommandError, ErrorKind},
    cli::{
        errors::{CliError, CliResult, input},
        text::one_line,
    },
};
use serde::Deserialize;
use std::time::Duration;
use sy_commons::secret::Secret;

/// A server on this machine answers at once, one far away soon.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A list of models is short.
const MAX_BYTES: u64 = 4 << 20;
/// So many names are told.
const SHOWN: usize = 12;

#[derive(Deserialize)]
struct Listing {
    data: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The model of a server that has just one.
///
/// # Errors
/// When it does not answer, or has none or several: the user must name one.
pub async fn only_model(base_url: &str, key: Option<Secret>) -> CliResult<String> {
    let url = format!("{base_url}/models");
    let asked = tokio::task::spawn_blocking(move || ask(&url, key.as_ref()));
    let names = match asked.await {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => return Err(silent(base_url, &error.to_string())),
        Err(error) => return Err(silent(base_url, &error.to_string())),
    };
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| one_line(name))
        .collect();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(input(
            format!("{} has no model", one_line(base_url)),
            "load one there, or name one with --model",
        )),
        _ => {
            let more = if names.len() > SHOWN {
                format!(" and {} more", names.len() - SHOWN)
            } else {
                String::new()
            };
            let message = format!(
                "{} has {} models\n{}{more}",
                one_line(base_url),
                names.len(),
                shown.join(", ")
            );
            Err(input(message, "name one with --model"))
        }
    }
}

fn silent(base_url: &str, cause: &str) -> CliError {
    let message = format!("{} does not tell which models it has", one_line(base_url));
    let mut error = CommandError::new(ErrorKind::Environment, message)
        .help("start the server, or name its model with --model");
    error.causes.push(cause.to_owned());
    error.into()
}

fn ask(url: &str, key: Option<&Secret>) -> Result<Vec<String>, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {}", key.expose()));
    }
    let mut response = request.call()?;
    let listing: Listing = response
        .body_mut()
        .with_config()
        .limit(MAX_BYTES)
        .read_json()?;
    Ok(listing.data.into_iter().map(|model| model.id).collect())
}
