//! The pinned wheels that libtorch is made of: names, versions, SHA-256, and what is taken from each.

use super::{Kind, VERSION};

/// One wheel of the package index, pinned by version and checksum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wheel {
    pub package: &'static str,
    pub version: &'static str,
    pub sha256: &'static str,
    pub take: &'static [Take],
}

/// What is unpacked from a wheel; nothing else of it is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Take {
    /// One file, put under `lib/` with its own name.
    Library(&'static str),
    /// Every shared library of the wheel, put flat under `lib/`, where the run path `$ORIGIN` of torch's libraries
    /// finds it.
    AllLibraries,
    /// The headers below this folder, put under `include/`.
    Headers(&'static str),
}

const HEADERS: Take = Take::Headers("torch/include/");

// The wheels of one Python version hold the same libraries as those of any other; naming one makes the checksum one
// number.
const TORCH: Wheel = Wheel {
    package: "torch",
    version: VERSION,
    sha256: "796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b",
    take: &[
        HEADERS,
        Take::Library("torch/lib/libtorch_cpu.so"),
        Take::Library("torch/lib/libc10.so"),
        Take::Library("torch/lib/libgomp.so.1"),
    ],
};

const TORCH_CUDA: Wheel = Wheel {
    take: &[
        HEADERS,
        Take::Library("torch/lib/libtorch_cpu.so"),
        Take::Library("torch/lib/libc10.so"),
        Take::Library("torch/lib/libgomp.so.1"),
        Take::Library("torch/lib/libtorch.so"),
        Take::Library("torch/lib/libtorch_cuda.so"),
        Take::Library("torch/lib/libtorch_cuda_linalg.so"),
        Take::Library("torch/lib/libtorch_nvshmem.so"),
        Take::Library("torch/lib/libc10_cuda.so"),
        Take::Library("torch/lib/libcaffe2_nvrtc.so"),
    ],
    ..TORCH
};

// libtorch_cpu.so of this wheel links these two even where no GPU is used.
const CUDA_RUNTIME: Wheel = Wheel {
    package: "nvidia-cuda-runtime",
    version: "13.0.96",
    sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    take: &[Take::Library("nvidia/cu13/lib/libcudart.so.13")],
};
const CUPTI: Wheel = Wheel {
    package: "nvidia-cuda-cupti",
    version: "13.0.85",
    sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    take: &[Take::Library("nvidia/cu13/lib/libcupti.so.13")],
};

const CPU: &[Wheel] = &[TORCH, CUDA_RUNTIME, CUPTI];

/// torch 2.13.0 names these in its METADATA (`Requires-Dist`, the CUDA parts through `cuda-toolkit[…]==13.0.3`); only
/// what
/// `libtorch_cuda.so` loads is taken.
const CUDA: &[Wheel] = &[
    TORCH_CUDA,
    CUDA_RUNTIME,
    CUPTI,
    nvidia("nvidia-cublas", "13.1.1.3", "37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436"),
    nvidia(
        "nvidia-cuda-nvrtc",
        "13.0.88",
        "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
    ),
    nvidia(
        "nvidia-cudnn-cu13",
        "9.20.0.48",
        "0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304",
    ),
    nvidia("nvidia-cufft", "12.0.0.61", "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3"),
    nvidia("nvidia-cufile", "1.15.1.6", "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44"),
    nvidia("nvidia-curand", "10.4.0.35", "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc"),
    nvidia(
        "nvidia-cusolver",
        "12.0.4.66",
        "0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112",
    ),
    nvidia("nvidia-cusparse", "12.6.3.3", "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b"),
    nvidia(
        "nvidia-cusparselt-cu13",
        "0.8.1",
        "786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0",
    ),
    nvidia("nvidia-nccl-cu13", "2.29.7", "edd81538446786ec3b73972543e53bb43bcaf0bfc8ef76cb679fcc390ffe136d"),
    nvidia("nvidia-nvjitlink", "13.5.37", "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb"),
    nvidia(
        "nvidia-nvshmem-cu13",
        "3.4.5",
        "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
    ),
];

const fn nvidia(package: &'static str, version: &'static str, sha256: &'static str) -> Wheel {
    Wheel { package, version, sha256, take: &[Take::AllLibraries] }
}

/// The wheels that a libtorch of this kind is made of.
pub(super) const fn of(kind: Kind) -> &'static [Wheel] {
    match kind {
        Kind::Cpu => CPU,
        Kind::Cuda => CUDA,
    }
}
