//! A parser of logfmt that shares nothing with the one who writes it.

/// Returns the pairs of a line; `None` if it is not logfmt.
pub fn pairs(line: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let equals = rest.find('=')?;
        let key = &rest[..equals];
        if key.is_empty() || key.contains([' ', '"']) {
            return None;
        }
        rest = &rest[equals + 1..];
        let value = match rest.strip_prefix('"') {
            Some(quoted) => take_quoted(quoted, &mut rest)?,
            None => {
                let end = rest.find(' ').unwrap_or(rest.len());
                let value = &rest[..end];
                rest = &rest[end..];
                if value.contains(['"', '=']) {
                    return None;
                }
                value.to_owned()
            }
        };
        pairs.push((key.to_owned(), value));
        rest = match rest.strip_prefix(' ') {
            Some("") => return None,
            Some(more) => more,
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(pairs)
}

/// Undoes the quotes and escapes of a value, and sets `rest` to what follows it.
fn take_quoted<'t>(quoted: &'t str, rest: &mut &'t str) -> Option<String> {
    let end = quoted.bytes().scan(false, |escaped, byte| {
        let ends = byte == b'"' && !*escaped;
        *escaped = byte == b'\\' && !*escaped;
        Some(ends)
    });
    let end = end.take_while(|ends| !ends).count();
    *rest = quoted.get(end + 1..)?;
    // Its escapes are those of JSON, and it has no characters that JSON does not have.
    serde_json::from_str(&format!("\"{}\"", &quoted[..end])).ok()
}
