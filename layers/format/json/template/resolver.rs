//! The values of `$resolver`, named as in log4j2 where it has an equivalent.

use super::{Document, Form, Keys, Node, Of, Resolved, Rest};
use crate::Severity;
use crate::format::json::node::Levels;
use crate::format::json::source::Source;
use crate::format::{LevelNames, Time};
use crate::record::Part;

type Members = Vec<(String, Document)>;

pub(super) fn is_resolver(members: &Members) -> bool {
    members.iter().any(|(name, _)| name == "$resolver")
}

/// Returns the replacement of the resolver with these settings.
pub(super) fn resolve(members: Members) -> Result<Resolved, String> {
    let mut settings = ResolverSettings(members);
    let resolver = settings.take_text("$resolver")?.unwrap_or_default();
    let resolved = match &*resolver {
        "timestamp" => timestamp(&mut settings)?,
        "level" => level(&mut settings)?,
        "logger" => settings.field(&[("name", Part::Target.into())])?,
        "message" => plain(Part::Message),
        "thread" => settings.field(&[("name", Part::ThreadName.into()), ("id", Part::ThreadId.into())])?,
        "source" => settings.field(&[
            ("fileName", Part::File.into()),
            ("lineNumber", Part::Line.into()),
            ("className", Part::ModulePath.into()),
        ])?,
        "mdc" => mdc(&mut settings)?,
        "field" => field(&mut settings)?,
        "fields" => fields(&mut settings, Of::Event)?,
        "span" => plain(Part::SpanName),
        "spans" => Resolved::Node(Node::Spans),
        "exception" => settings.field(&[("message", Source::ErrorMessage), ("chain", Part::Error.into())])?,
        "exceptionRootCause" => settings.field(&[("message", Source::RootCause)])?,
        "name" => plain(Part::Name),
        "pid" => plain(Part::ProcessId),
        unknown => return Err(format!("unknown resolver {unknown:?}")),
    };
    match settings.0.first() {
        Some((unknown, _)) => Err(format!("{resolver} has no setting {unknown:?}")),
        None => Ok(resolved),
    }
}

fn timestamp(settings: &mut ResolverSettings) -> Result<Resolved, String> {
    let Some(epoch) = settings.take("epoch") else {
        let digits = settings.take_number("precision", 9)?.unwrap_or(6);
        return Ok(Resolved::Node(Node::Time(Time::rfc3339().precision(digits))));
    };
    let mut epoch = ResolverSettings::of("epoch", epoch)?;
    let unit = epoch.take_text("unit")?.unwrap_or("secs".to_owned());
    let rounded = epoch.take_flag("rounded")?;
    epoch.finish("epoch")?;
    let time = match (&*unit, rounded) {
        ("secs", true) => Time::unix_seconds(),
        ("secs", false) => Time::unix_seconds().precision(9),
        ("millis", _) => Time::unix_millis(),
        ("nanos", _) => Time::unix_nanos(),
        _ => return Err(format!("unit must be secs, millis or nanos, got {unit:?}")),
    };
    Ok(Resolved::Node(Node::Time(time)))
}

fn level(settings: &mut ResolverSettings) -> Result<Resolved, String> {
    let field = settings.take_text("field")?.unwrap_or("name".to_owned());
    let levels = match &*field {
        "name" => Levels::Names(LevelNames::Upper),
        "number" => Levels::Number(|severity| severity.number().into()),
        "severity" => match settings.take("severity") {
            None => Levels::Number(syslog),
            Some(severity) => {
                let mut severity = ResolverSettings::of("severity", severity)?;
                let field = severity.take_text("field")?.unwrap_or("code".to_owned());
                severity.finish("severity")?;
                match &*field {
                    "code" => Levels::Number(syslog),
                    "keyword" => Levels::Keywords(&KEYWORDS),
                    _ => return Err(format!("the severity's field must be keyword or code, got {field:?}")),
                }
            }
        },
        _ => return Err(format!("field must be one of name, severity, number, got {field:?}")),
    };
    Ok(Resolved::Node(Node::Level(levels)))
}

fn mdc(settings: &mut ResolverSettings) -> Result<Resolved, String> {
    match settings.take_text("key")? {
        Some(key) => Ok(Resolved::Node(Node::Value(Part::span_field(key).into(), settings.form()?))),
        None => fields(settings, Of::Spans),
    }
}

fn field(settings: &mut ResolverSettings) -> Result<Resolved, String> {
    let key = settings.take_text("key")?.ok_or("field needs a key")?;
    Ok(Resolved::Node(Node::Value(Part::any_field(key).into(), settings.form()?)))
}

fn fields(settings: &mut ResolverSettings, of: Of) -> Result<Resolved, String> {
    let form = settings.form()?;
    let rest = |keys| Rest { of, keys, form, flat: false };
    match settings.take("flatten") {
        None => Ok(Resolved::Within(rest(Keys::Plain))),
        Some(Document::Json(json)) if json == "false" => Ok(Resolved::Within(rest(Keys::Plain))),
        Some(Document::Json(json)) if json == "true" => Ok(Resolved::Here(rest(Keys::Plain))),
        Some(Document::Object(members)) => {
            let mut flatten = ResolverSettings(members);
            let prefix = flatten.take_text("prefix")?.unwrap_or_default();
            flatten.finish("flatten")?;
            Ok(Resolved::Here(rest(Keys::Prefixed(prefix.into()))))
        }
        Some(_) => Err("flatten must be true, false or an object with a prefix".to_owned()),
    }
}

fn plain(source: impl Into<Source>) -> Resolved {
    Resolved::Node(Node::Value(source.into(), Form::Plain))
}

fn syslog(severity: Severity) -> u32 {
    severity.syslog().into()
}

/// The settings beside `$resolver` that have not been read yet.
struct ResolverSettings(Members);

impl ResolverSettings {
    fn of(name: &str, document: Document) -> Result<Self, String> {
        match document {
            Document::Object(members) => Ok(Self(members)),
            _ => Err(format!("{name} must be an object")),
        }
    }

    fn take(&mut self, name: &str) -> Option<Document> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }

    fn take_text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Document::Text(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{name} must be a string")),
        }
    }

    /// Takes a boolean setting. Default: `false`.
    fn take_flag(&mut self, name: &str) -> Result<bool, String> {
        match self.take(name) {
            None => Ok(false),
            Some(Document::Json(json)) if json == "true" => Ok(true),
            Some(Document::Json(json)) if json == "false" => Ok(false),
            Some(_) => Err(format!("{name} must be true or false")),
        }
    }

    fn take_number(&mut self, name: &str, most: u8) -> Result<Option<u8>, String> {
        let number = |json: &str| json.parse().ok().filter(|number| *number <= most);
        match self.take(name) {
            None => Ok(None),
            Some(Document::Json(json)) => {
                number(&json).map(Some).ok_or_else(|| format!("{name} must be a number from 0 to {most}"))
            }
            Some(_) => Err(format!("{name} must be a number from 0 to {most}")),
        }
    }

    /// Returns the source that the setting `field` names. Default: the first one.
    fn field(&mut self, sources: &[(&str, Source)]) -> Result<Resolved, String> {
        let name = self.take_text("field")?;
        let source = match &name {
            None => sources.first(),
            Some(name) => sources.iter().find(|(known, _)| known == name),
        };
        let names: Vec<_> = sources.iter().map(|(name, _)| *name).collect();
        let unknown =
            || format!("field must be one of {}, got {:?}", names.join(", "), name.clone().unwrap_or_default());
        source.map(|(_, source)| plain(source.clone())).ok_or_else(unknown)
    }

    fn form(&mut self) -> Result<Form, String> {
        Ok(if self.take_flag("stringified")? { Form::Text } else { Form::Plain })
    }

    fn finish(self, of: &str) -> Result<(), String> {
        match self.0.first() {
            Some((unknown, _)) => Err(format!("{of} has no setting {unknown:?}")),
            None => Ok(()),
        }
    }
}

/// The keywords of log4j2, by syslog severity.
const KEYWORDS: [&str; 8] = ["EMERG", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
