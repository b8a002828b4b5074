pub enum Colour {}
pub struct Console;
