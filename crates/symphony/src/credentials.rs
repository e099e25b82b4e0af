//! Keys of models: from an environment variable or the platform's keyring, never from a file of ours.

use crate::api::{CommandError, ErrorKind};
use sy_commons::{config::schema::Model, secret::Secret};

/// The keyring's service name.
const SERVICE: &str = "symphony";

/// The key of a configured model; `None` when it needs none.
///
/// # Errors
/// When the variable is not set, or the keyring has no such key or cannot be reached.
pub fn api_key(name: &str, model: &Model) -> Result<Option<Secret>, CommandError> {
    if let Some(variable) = &model.api_key_env {
        return match std::env::var(variable) {
            Ok(key) if !key.is_empty() => Ok(Some(Secret::new(key))),
            _ => {
                let message =
                    format!("the model `{name}` takes its key from {variable}, which is not set");
                Err(CommandError::new(ErrorKind::Environment, message)
                    .help(format!("export {variable}=…")))
            }
        };
    }
    if !model.api_key_keyring {
        return Ok(None);
    }
    let key = entry(name)
        .and_then(|entry| entry.get_password())
        .map_err(|error| keyring_error(name, &error))?;
    Ok(Some(Secret::new(key)))
}

/// Puts a key into the keyring.
///
/// # Errors
/// When the keyring cannot be reached.
pub fn store_api_key(name: &str, key: &Secret) -> Result<(), CommandError> {
    entry(name)
        .and_then(|entry| entry.set_password(key.expose()))
        .map_err(|error| keyring_error(name, &error))
}

fn entry(name: &str) -> keyring::Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, name)
}

fn keyring_error(name: &str, error: &keyring::Error) -> CommandError {
    let message = format!("the keyring gave no key for the model `{name}`");
    let mut error_out = CommandError::new(ErrorKind::Environment, message).help(format!(
        "`symphony models add … {name} --keyring` stores one, or name a variable with --key-env"
    ));
    error_out.causes.push(error.to_string());
    error_out
}
