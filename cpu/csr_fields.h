/* Fields of the control and status registers (privileged manual). */
#ifndef RIVULET_CPU_CSR_FIELDS_H
#define RIVULET_CPU_CSR_FIELDS_H

#define MSTATUS_SIE  (1ull << 1)
#define MSTATUS_MIE  (1ull << 3)
#define MSTATUS_SPIE (1ull << 5)
#define MSTATUS_UBE  (1ull << 6)
#define MSTATUS_MPIE (1ull << 7)
#define MSTATUS_SPP  (1ull << 8)
#define MSTATUS_VS   (3ull << 9)
#define MSTATUS_MPP  (3ull << 11)
#define MSTATUS_FS   (3ull << 13)
#define MSTATUS_XS   (3ull << 15)
#define MSTATUS_MPRV (1ull << 17)
#define MSTATUS_SUM  (1ull << 18)
#define MSTATUS_MXR  (1ull << 19)
#define MSTATUS_TVM  (1ull << 20)
#define MSTATUS_TW   (1ull << 21)
#define MSTATUS_TSR  (1ull << 22)
#define MSTATUS_UXL  (3ull << 32)
#define MSTATUS_SXL  (3ull << 34)
#define MSTATUS_SD   (1ull << 63)

/* UXL = SXL = 64 bits: fixed. */
#define MSTATUS_XLENS (2ull << 32 | 2ull << 34)

/* What sstatus shows of it, and lets software write. */
#define SSTATUS_WRITABLE                                                                           \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define SSTATUS_MASK (SSTATUS_WRITABLE | MSTATUS_VS | MSTATUS_XS | MSTATUS_UXL | MSTATUS_SD)

#define MSTATUS_MPP_SHIFT 11
#define MSTATUS_FS_SHIFT  13
#define FS_OFF            0u
#define FS_INITIAL        1u
#define FS_CLEAN          2u
#define FS_DIRTY          3u

#define SATP_MODE_SHIFT 60
#define SATP_ASID_SHIFT 44
#define SATP_PPN_MASK   ((1ull << 44) - 1)
#define SATP_BARE       0u
#define SATP_SV39       8u
#define SATP_SV48       9u
#define SATP_SV57       10u

#define ENVCFG_FIOM  (1ull << 0)
#define ENVCFG_CBIE  (3ull << 4)
#define ENVCFG_CBCFE (1ull << 6)
#define ENVCFG_CBZE  (1ull << 7)
#define ENVCFG_ADUE  (1ull << 61)
#define ENVCFG_PBMTE (1ull << 62)
#define ENVCFG_STCE  (1ull << 63)

#define MSECCFG_MML   (1ull << 0)
#define MSECCFG_MMWP  (1ull << 1)
#define MSECCFG_RLB   (1ull << 2)
#define MSECCFG_USEED (1ull << 8)
#define MSECCFG_SSEED (1ull << 9)

/* The upper half of mstateen0; in mstateen1 to 3 only SE is used. */
#define STATEEN_ENVCFG (1ull << 62)
#define STATEEN_SE     (1ull << 63)

/* mhpmevent, mcyclecfg and minstretcfg (Sscofpmf, Smcntrpmf). */
#define HPM_UINH     (1ull << 60)
#define HPM_SINH     (1ull << 61)
#define HPM_MINH     (1ull << 62)
#define HPM_OF       (1ull << 63)
#define HPM_SELECTOR ((1ull << 56) - 1)

#define CAUSE_INTERRUPT (1ull << 63)

#endif
