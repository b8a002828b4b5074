use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON document whose members keep their order and whose objects have no duplicate keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    /// A number, a boolean or null.
    Json(String),
    Text(String),
    List(Vec<Document>),
    Object(Vec<(String, Document)>),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadDocument)
    }
}

struct ReadDocument;

impl<'de> Visitor<'de> for ReadDocument {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Json("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document::Json(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document::Json(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::Json(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        // serde_json rejects floats that are not finite. `Debug` writes `1.0` and `1e300`, which are valid JSON.
        Ok(Document::Json(format!("{value:?}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut reader: A) -> Result<Document, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = reader.next_element()? {
            items.push(item);
        }
        Ok(Document::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut reader: A) -> Result<Document, A::Error> {
        let mut members = Vec::<(String, Document)>::new();
        while let Some((key, value)) = reader.next_entry::<String, _>()? {
            if members.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            members.push((key, value));
        }
        Ok(Document::Object(members))
    }
}
