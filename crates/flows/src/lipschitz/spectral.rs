//! Spectral normalisation of each weight matrix.

use crate::FlowError;
use crate::error::expect_length;
use crate::mlp::{Layer, Mlp};
use crate::real::Real;

/// Spectral normalisation W ↦ W/σ(W), the last layer times L (Miyato et al. 2018, eq. (9), algorithm 1).
///
/// With 1-Lipschitz activations φ is L-Lipschitz up to the error of the power iteration. The singular vectors of each
/// layer are carried from update to update, so that one power iteration an update suffices.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralState {
    layers: Vec<Layer>,
    vectors: Vec<(Vec<f64>, Vec<f64>)>,
    norms: Vec<f64>,
    bound: f64,
}

impl SpectralState {
    /// Starts the power iteration from the row sums of each weight matrix and runs it to convergence.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the network.
    pub fn new<T: Real>(net: &Mlp, parameters: &[T], bound: f64) -> Result<Self, FlowError> {
        let vectors = net.layers().iter().map(|l| (vec![0.0; l.output], start(l.input))).collect();
        let layers = net.layers().to_vec();
        let mut state = Self { norms: vec![1.0; layers.len()], layers, vectors, bound };
        for _ in 0..100 {
            state.iterate(parameters)?;
        }
        Ok(state)
    }

    /// One power iteration of every layer: u = Wv/‖Wv‖, v = Wᵀu/‖Wᵀu‖, σ = uᵀWv.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are of another network.
    pub fn iterate<T: Real>(&mut self, parameters: &[T]) -> Result<(), FlowError> {
        self.expect("the trained parameters", parameters.len())?;
        for ((layer, (u, v)), norm) in self.layers.iter().zip(&mut self.vectors).zip(&mut self.norms) {
            let rows = || weight(parameters, layer).chunks_exact(layer.input);
            for (u, row) in u.iter_mut().zip(rows()) {
                *u = row.iter().zip(v.iter()).map(|(w, v)| w.wide() * v).sum();
            }
            normalise(u);
            v.fill(0.0);
            for (u, row) in u.iter().zip(rows()) {
                for (v, w) in v.iter_mut().zip(row) {
                    *v += u * w.wide();
                }
            }
            *norm = normalise(v);
        }
        Ok(())
    }

    /// The parameters that the network uses: every W divided by its σ, the last one also multiplied by L.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are of another network.
    pub fn effective<T: Real>(&self, trained: &[T]) -> Result<Vec<T>, FlowError> {
        self.expect("the trained parameters", trained.len())?;
        let mut effective = trained.to_vec();
        for (layer, scale) in self.layers.iter().zip(self.scales()) {
            for w in effective.get_mut(layer.weight.clone()).unwrap_or_default() {
                *w *= T::of(scale);
            }
        }
        Ok(effective)
    }

    /// Turns a gradient in the effective parameters into one in the trained ones:
    /// ∂ℓ/∂W = s·(G − ⟨G, W⟩/σ·u·vᵀ) for s = L^{\[last\]}/σ (Miyato et al. 2018, eq. (12)).
    ///
    /// # Errors
    /// [`FlowError::Shape`] when one of the buffers is of another network.
    pub fn pull_back<T: Real>(&self, trained: &[T], gradient: &mut [T]) -> Result<(), FlowError> {
        self.expect("the trained parameters", trained.len())?;
        self.expect("the gradient", gradient.len())?;
        let state = self.vectors.iter().zip(&self.norms).zip(self.scales());
        for (layer, (((u, v), norm), scale)) in self.layers.iter().zip(state) {
            let w = weight(trained, layer);
            let Some(g) = gradient.get_mut(layer.weight.clone()) else { continue };
            let inner: f64 = g.iter().zip(w).map(|(g, w)| g.wide() * w.wide()).sum();
            for (row, u) in g.chunks_exact_mut(layer.input).zip(u) {
                for (g, v) in row.iter_mut().zip(v) {
                    *g = T::of(scale * (g.wide() - inner / norm * u * v));
                }
            }
        }
        Ok(())
    }

    /// Everything that changes from update to update, as one list: for each layer u, v and σ.
    pub fn flatten(&self) -> Vec<f64> {
        let layers = self.vectors.iter().zip(&self.norms);
        layers.flat_map(|((u, v), norm)| u.iter().chain(v).chain(std::iter::once(norm))).copied().collect()
    }

    /// The inverse of [`SpectralState::flatten`].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the list is of another network.
    pub fn restore(&mut self, flat: &[f64]) -> Result<(), FlowError> {
        expect_length("the spectral state", flat.len(), self.flatten().len())?;
        let mut rest = flat.iter().copied();
        for ((u, v), norm) in self.vectors.iter_mut().zip(&mut self.norms) {
            for (slot, value) in u.iter_mut().chain(v).chain(std::iter::once(norm)).zip(&mut rest) {
                *slot = value;
            }
        }
        Ok(())
    }

    fn expect(&self, what: &'static str, found: usize) -> Result<(), FlowError> {
        expect_length(what, found, self.layers.last().map_or(0, |layer| layer.bias.end))
    }

    fn scales(&self) -> Vec<f64> {
        let last = self.layers.len().saturating_sub(1);
        let factor = |i: usize, norm: f64| if i == last { self.bound / norm } else { 1.0 / norm };
        self.norms.iter().enumerate().map(|(i, &norm)| factor(i, norm)).collect()
    }
}

fn weight<'a, T>(parameters: &'a [T], layer: &Layer) -> &'a [T] {
    parameters.get(layer.weight.clone()).unwrap_or_default()
}

/// A vector with no special direction: no weight matrix that is drawn at random is orthogonal to it.
fn start(width: usize) -> Vec<f64> {
    let mut v: Vec<f64> = (0..width).map(|i| 1.0 + 0.5 * (i as f64 * 1.618).sin()).collect();
    normalise(&mut v);
    v
}

fn normalise(v: &mut [f64]) -> f64 {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    // A zero matrix has norm 0; the smallest positive number keeps it from becoming NaN.
    let norm = norm.max(f64::MIN_POSITIVE);
    for x in v.iter_mut() {
        *x /= norm;
    }
    norm
}
