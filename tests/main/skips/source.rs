//! What a line of source does, and which lines are those of tests.

/// The numbers of the lines that are refused, and why.
pub fn offenses(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if is_ignored(line) {
            found.push((index + 1, "a test or sample that is ignored"));
        }
        if skips_by_itself(line) {
            found.push((index + 1, "a skip without `skipped` or `needs!`"));
        }
    }
    for (index, line) in bodies(&code(text)).into_iter().flatten() {
        if returns(line) {
            found.push((index + 1, "a test that returns early without `skipped` or `needs!`"));
        }
    }
    found
}

fn is_ignored(line: &str) -> bool {
    let line = line.trim_start();
    let words = |text: &str| text.split(|letter| !is_part_of_word(letter)).any(|word| word == "ignore");
    let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or(line).trim_start();
    let fence = doc.strip_prefix("```").or_else(|| doc.strip_prefix("~~~"));
    line.starts_with("#[") && words(line) || fence.is_some_and(words) || line.contains("with_ignored_flag")
}

fn skips_by_itself(line: &str) -> bool {
    let is_comment = line.trim_start().starts_with("//");
    let reads_ci = ["var(\"CI\")", "var_os(\"CI\")"].iter().any(|read| line.contains(read));
    !is_comment && (line.contains("skipped: ") || reads_ci)
}

/// How many tests the text has.
pub fn count(text: &str) -> usize {
    bodies(&code(text)).len()
}

/// The bodies of tests without the functions that they declare, as numbered lines: of those with the attribute, in `alone!`,
/// named in `cases!`, and of the scenarios of `tests/soak`. The source is formatted: indentation shows where each ends.
fn bodies(code: &str) -> Vec<Vec<(usize, &str)>> {
    let lines: Vec<_> = code.lines().enumerate().collect();
    let cases: Vec<_> = lines.iter().filter_map(|(_, line)| line.trim_start().split_once(" => |ended| ")).collect();
    let (mut is_test, mut in_alone, mut found) = (false, false, Vec::new());
    for (index, line) in &lines {
        in_alone = *line == "alone! {" || in_alone && *line != "}";
        is_test |= line.trim() == "#[test]" || line.trim_start().starts_with("#[tokio::test");
        if let Some(name) = function(line) {
            let is_case = cases.iter().any(|(case, _)| *case == name);
            if is_test || in_alone && indentation(line) == 4 || is_case || line.contains("(plan: Plan)") {
                let body = item(&lines[*index..]);
                found.push(if line.ends_with('}') { body.to_vec() } else { without_functions(body) });
            }
            is_test = false;
        }
    }
    found
}

/// The lines of the function that begins at the first one, without those of its name and its closing brace, if it has several.
fn item<'l, 't>(lines: &'l [(usize, &'t str)]) -> &'l [(usize, &'t str)] {
    let (_, first) = lines[0];
    if first.ends_with('}') {
        return &lines[..1];
    }
    let ends = |(_, line): &(usize, &str)| indentation(line) == indentation(first) && line.trim_start() == "}";
    let end = lines.iter().position(ends).unwrap_or_else(|| panic!("no end of {first}"));
    &lines[1..end]
}

fn without_functions<'t>(mut lines: &[(usize, &'t str)]) -> Vec<(usize, &'t str)> {
    let mut left = Vec::new();
    while let [first, rest @ ..] = lines {
        lines = match function(first.1) {
            Some(_) if first.1.ends_with('}') => rest,
            Some(_) => &rest[item(lines).len() + 1..],
            None => {
                left.push(*first);
                rest
            }
        };
    }
    left
}

/// The name of the function that a line declares.
fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.trim_start().split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "async", "unsafe", "const"];
    let is_declaration = before.split_whitespace().all(|word| words.contains(&word));
    is_declaration.then(|| rest.split(['(', '<']).next().unwrap())
}

/// Whether the line returns otherwise than with an error, and without a skip.
fn returns(code: &str) -> bool {
    let fine = ["skipped(", "skip::skipped(", "plan.cannot_run(", "Err("];
    let is_word = |(at, word): &(usize, &str)| {
        !code[..*at].ends_with(is_part_of_word) && !code[at + word.len()..].starts_with(is_part_of_word)
    };
    let mut values =
        code.match_indices("return").filter(is_word).map(|(at, word)| code[at + word.len()..].trim_start());
    values.any(|value| !fine.iter().any(|fine| value.starts_with(fine)))
}

fn is_part_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The text with its lines where they are, without comments and without what stands in strings.
fn code(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(letter) = rest.chars().next() {
        let is_in_word = code.ends_with(is_part_of_word);
        match literal(rest).filter(|_| !is_in_word || !letter.is_alphabetic()) {
            Some(len) => {
                code.extend(rest[..len].chars().filter(|letter| *letter == '\n'));
                rest = &rest[len..];
            }
            None => {
                code.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    code
}

/// The length of the comment, the string or the character that the text begins with.
fn literal(text: &str) -> Option<usize> {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(until("*/", 2));
    }
    if let Some(raw) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            return Some(until(&format!("\"{}", "#".repeat(hashes)), text.len() - raw.len() + hashes + 1));
        }
    }
    match text.chars().next()? {
        '"' => Some(quoted(text, '"')),
        // And not a lifetime.
        '\'' if text[1..].starts_with('\\') || text[1..].chars().nth(1) == Some('\'') => Some(quoted(text, '\'')),
        _ => None,
    }
}

/// The length of a literal with its quotation marks.
fn quoted(text: &str, mark: char) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == mark {
            return at + 1;
        }
    }
    text.len()
}
