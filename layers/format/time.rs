pub struct Time;
