/** The PostgreSQL of each major version and platform that is fetched where none is installed: version and hash. */

export type Pin = {
  /** The version of the package: `17.10.0-beta.17` is PostgreSQL 17.10. */
  version: string;
  /** SHA-512 of its tarball, in base64, as npm has it in `dist.integrity`. */
  sha512: string;
};

/** `<platform>-<arch>` as Node has them. */
export type Platform = "darwin-arm64" | "darwin-x64" | "linux-arm64" | "linux-x64";

/** The newest one of each major version; those before 15 were only made for one platform. */
export const pins: Readonly<Record<number, Readonly<Partial<Record<Platform, Pin>>>>> = {
  12: {
    "linux-x64": {
      version: "12.22.0-beta.15",
      sha512:
        "iG+VySdss+bA5SLDIRrowxKuV57GTc/ePu7NzN0Vnk4t+guX4bW3JP1h4t5MFzZ5SZEJ9tV+fDPjkwPTh2kzuw==",
    },
  },
  13: {
    "linux-x64": {
      version: "13.23.0-beta.16",
      sha512:
        "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w==",
    },
  },
  14: {
    "linux-x64": {
      version: "14.23.0-beta.17",
      sha512:
        "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
    },
  },
  15: {
    "darwin-arm64": {
      version: "15.18.0-beta.17",
      sha512:
        "1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==",
    },
    "darwin-x64": {
      version: "15.18.0-beta.17",
      sha512:
        "W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==",
    },
    "linux-arm64": {
      version: "15.18.0-beta.17",
      sha512:
        "ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
    },
    "linux-x64": {
      version: "15.18.0-beta.17",
      sha512:
        "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    },
  },
  16: {
    "darwin-arm64": {
      version: "16.14.0-beta.17",
      sha512:
        "CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==",
    },
    "darwin-x64": {
      version: "16.14.0-beta.17",
      sha512:
        "zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==",
    },
    "linux-arm64": {
      version: "16.14.0-beta.17",
      sha512:
        "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
    },
    "linux-x64": {
      version: "16.14.0-beta.17",
      sha512:
        "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    },
  },
  17: {
    "darwin-arm64": {
      version: "17.10.0-beta.17",
      sha512:
        "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
    },
    "darwin-x64": {
      version: "17.10.0-beta.17",
      sha512:
        "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
    },
    "linux-arm64": {
      version: "17.10.0-beta.17",
      sha512:
        "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
    },
    "linux-x64": {
      version: "17.10.0-beta.17",
      sha512:
        "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    },
  },
  18: {
    "darwin-arm64": {
      version: "18.4.0-beta.17",
      sha512:
        "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    },
    "darwin-x64": {
      version: "18.4.0-beta.17",
      sha512:
        "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    },
    "linux-arm64": {
      version: "18.4.0-beta.17",
      sha512:
        "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    },
    "linux-x64": {
      version: "18.4.0-beta.17",
      sha512:
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    },
  },
};
