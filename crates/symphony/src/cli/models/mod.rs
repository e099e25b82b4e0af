//! `models`: list, connect and choose models.

mod discover;
mod edit;
mod preset;

use crate::{
    api::{CommandError, ErrorKind},
    cli::{
        args::{AddModelArgs, ModelVerb},
        config::user_file,
        context::Context,
        errors::{CliError, CliResult, input},
        text::{one_line, table, thousands},
    },
    credentials,
};
use edit::{Entry, File};
use sy_commons::{
    config::{Config, Loaded, Sources, load_from, schema::Model},
    fs::AppDirs,
    secret::Secret,
};
use symphony_domain::melody::problem::nearest;

pub use preset::Preset;

/// Lists, connects and chooses models.
///
/// # Errors
/// When the configuration is not sound, or would not be afterwards.
pub async fn models(
    verb: Option<ModelVerb>,
    dirs: &AppDirs,
    context: &mut Context<'_>,
) -> CliResult {
    match verb {
        None | Some(ModelVerb::List) => list(&load(dirs)?, context),
        Some(ModelVerb::Add(args)) => add(args, dirs, context).await,
        Some(ModelVerb::Remove { name }) => remove(&name, dirs, context),
        Some(ModelVerb::Default { name }) => choose(&name, dirs, context),
    }
}

fn load(dirs: &AppDirs) -> CliResult<Loaded<Config>> {
    load_from(&Sources::of_process(dirs)).map_err(|error| CliError::Command(error.into()))
}

fn list(loaded: &Loaded<Config>, context: &mut Context<'_>) -> CliResult {
    let (models, default) = (&loaded.value.models, &loaded.value.conductor.default_model);
    if context.ui.mode.json {
        let shown = serde_json::json!({ "models": models, "default": default });
        return Ok(context.ui.result(&shown)?);
    }
    let style = context.ui.style;
    let row = |(name, model): (&String, &Model)| {
        let mark = if name == default {
            style.green("✓")
        } else {
            " ".to_owned()
        };
        let address = model
            .base_url
            .as_deref()
            .map_or("on this machine", |url| url);
        vec![
            format!("{mark} {}", style.bold(&one_line(name))),
            one_line(&model.model),
            one_line(address),
            format!("{} tokens", thousands(model.context_tokens.into())),
            key_of(model),
        ]
    };
    context
        .ui
        .lines(table(&models.iter().map(row).collect::<Vec<_>>()))?;
    context.ui.note(&format!(
        "✓ is used where none is named; {} changes it",
        context.place.hint("models default NAME")
    ));
    Ok(())
}

fn key_of(model: &Model) -> String {
    match &model.api_key_env {
        Some(variable) if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) => {
            format!("key from {}", one_line(variable))
        }
        Some(variable) => format!("key from {}, which is not set", one_line(variable)),
        None if model.api_key_keyring => "key from the keyring".to_owned(),
        None => String::new(),
    }
}

async fn add(args: AddModelArgs, dirs: &AppDirs, context: &mut Context<'_>) -> CliResult {
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| args.kind.name().to_owned());
    check_name(&name)?;
    let mut file = File::open(user_file(dirs))?;
    if name == "local-model" || file.has_model(&name) {
        let help = "call it otherwise: symphony models add KIND NAME; or remove that one first";
        return Err(input(format!("there is a model `{name}` already"), help));
    }
    let base_url = match args.base_url.as_deref().or(args.kind.base_url()) {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            return Err(input(
                "the server's address is missing",
                "name it with --base-url, up to /v1",
            ));
        }
    };
    let key_env = match (&args.key_env, args.keyring) {
        (Some(variable), _) => Some(variable.clone()),
        (None, true) => None,
        (None, false) => args.kind.key_env().map(str::to_owned),
    };
    let key = if args.keyring {
        Some(ask_key(&name, context).await?)
    } else {
        None
    };
    let model = match &args.model {
        Some(model) => model.clone(),
        None => {
            let known = key
                .clone()
                .or_else(|| key_env.as_deref().and_then(Secret::from_env));
            discover::only_model(&base_url, known).await?
        }
    };
    let entry = Entry {
        base_url,
        model,
        key_env,
        keyring: args.keyring,
        context_tokens: args
            .context_tokens
            .unwrap_or_else(|| args.kind.context_tokens()),
        usd_per_1m_input: args.usd_per_1m_input,
        usd_per_1m_output: args.usd_per_1m_output,
    };
    file.add(&name, &entry);
    if args.default {
        file.set_default(&name);
    }
    file.write(|| load(dirs).map(drop))?;
    if let Some(key) = key {
        // Without its key the model is of no use, so neither is its entry.
        credentials::store_api_key(&name, &key).inspect_err(|_| file.put_back())?;
    }
    said(&name, &entry, args.default, &file, context)
}

fn said(
    name: &str,
    entry: &Entry,
    default: bool,
    file: &File,
    context: &mut Context<'_>,
) -> CliResult {
    let path = file.path().display().to_string();
    if context.ui.mode.json {
        let added = serde_json::json!({
            "name": name, "base_url": entry.base_url, "model": entry.model, "default": default, "file": path,
        });
        return Ok(context.ui.result(&serde_json::json!({ "added": added }))?);
    }
    let mark = context.ui.style.green("✓");
    let name = one_line(name);
    context.ui.line(&format!(
        "{mark} {name}: {} at {}, written to {}",
        one_line(&entry.model),
        one_line(&entry.base_url),
        one_line(&path)
    ))?;
    if let Some(variable) = &entry.key_env
        && Secret::from_env(variable).is_none()
    {
        context.ui.line(&format!(
            "  its key comes from {0}, which is not set yet: export {0}=…",
            one_line(variable)
        ))?;
    }
    let rows = [
        vec![
            format!(
                "  {}",
                context
                    .place
                    .hint(&format!("perform document --model {name}"))
            ),
            "play with it".to_owned(),
        ],
        vec![
            format!(
                "  {}",
                context.place.hint(&format!("models default {name}"))
            ),
            "use it wherever none is named".to_owned(),
        ],
    ];
    let shown = if default { &rows[..1] } else { &rows[..] };
    Ok(context.ui.lines(table(shown))?)
}

async fn ask_key(name: &str, context: &mut Context<'_>) -> CliResult<Secret> {
    if context.ui.mode.interactive {
        context.ui.note(&format!(
            "The key for {} (it is not shown):",
            one_line(name)
        ));
    }
    let line = context.secret().await?;
    let key = line.trim();
    if key.is_empty() {
        return Err(input(
            "the key is empty",
            "type it, or pipe it in: … --keyring < key-file",
        ));
    }
    Ok(Secret::new(key))
}

fn check_name(name: &str) -> CliResult {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if !name.is_empty()
        && name.len() <= 64
        && name.chars().all(is_plain)
        && !name.starts_with(['-', '.'])
    {
        return Ok(());
    }
    Err(input(
        format!("`{}` is no name for a model", one_line(name)),
        "use lower-case letters, digits, `-`, `_` and `.`",
    ))
}

fn remove(name: &str, dirs: &AppDirs, context: &mut Context<'_>) -> CliResult {
    let mut file = File::open(user_file(dirs))?;
    if !file.has_model(name) {
        let message = format!("your configuration has no model `{}`", one_line(name));
        let own = file.models();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        return Err(input(message, nearest(name, &own)));
    }
    let was_default = file.remove(name);
    file.write(|| load(dirs).map(drop))?;
    if context.ui.mode.json {
        let removed = serde_json::json!({ "removed": name, "was_default": was_default });
        return Ok(context.ui.result(&removed)?);
    }
    let now = if was_default {
        "; local-model is the default again"
    } else {
        ""
    };
    Ok(context
        .ui
        .line(&format!("{} is forgotten{now}", one_line(name)))?)
}

fn choose(name: &str, dirs: &AppDirs, context: &mut Context<'_>) -> CliResult {
    let loaded = load(dirs)?;
    if !loaded.value.models.contains_key(name) {
        let known: Vec<&str> = loaded.value.models.keys().map(String::as_str).collect();
        return Err(input(
            format!("there is no model `{}`", one_line(name)),
            nearest(name, &known),
        ));
    }
    let mut file = File::open(user_file(dirs))?;
    file.set_default(name);
    file.write(|| load(dirs).map(drop))?;
    let now = load(dirs)?;
    if now.value.conductor.default_model != name {
        let origin = now
            .origin("conductor.default_model")
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = format!(
            "{} says otherwise and goes over your file",
            one_line(&origin)
        );
        return Err(CommandError::new(ErrorKind::Input, message)
            .help("take that setting away")
            .into());
    }
    if context.ui.mode.json {
        return Ok(context.ui.result(&serde_json::json!({ "default": name }))?);
    }
    Ok(context.ui.line(&format!(
        "{} is used wherever no model is named",
        one_line(name)
    ))?)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
