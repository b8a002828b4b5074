/// An extension of a span, separate for each layer: a filter around one layer may hide spans from it.
pub(super) struct PerLayer<T> {
    layer: u32,
    own: T,
    /// The values of other layers of this kind in the same subscriber: usually none.
    others: Vec<(u32, T)>,
}

impl<T> PerLayer<T> {
    pub(super) fn new(layer: u32, own: T) -> Self {
        Self { layer, own, others: Vec::new() }
    }

    pub(super) fn of_mut(&mut self, layer: u32) -> Option<&mut T> {
        if self.layer == layer {
            return Some(&mut self.own);
        }
        self.others.iter_mut().find(|(id, _)| *id == layer).map(|(_, own)| own)
    }

    /// Takes over the values of other layers.
    pub(super) fn join(&mut self, mut before: Self) {
        self.others.append(&mut before.others);
        self.others.push((before.layer, before.own));
    }
}
