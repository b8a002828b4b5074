pub struct Null;
