pub struct Json;
