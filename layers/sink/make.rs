pub struct Make;
