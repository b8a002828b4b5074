//! What the fields of an event become, whatever their number, their names and the types of their values.

mod many;
mod message;
mod severity;
mod site;
