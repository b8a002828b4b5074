pub struct Write;
