#pragma once

/// Numbered FOR_EACH macros: AEGIS_EACH_FIELD(macro, (a, …), (b, …)) calls macro(index, a, …) for
/// each parenthesised entry; AEGIS_EACH_ATTRIBUTE(macro, x, y) calls macro(x) macro(y).
/// Numbered and not recursive, since errors in recursive ones run to a thousand lines. The lists
/// are plain repetition, for up to 48 fields of 10 attributes each.

#define AEGIS_COUNT(...)                                                                           \
  AEGIS_COUNT_(__VA_ARGS__, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,    \
               31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, \
               10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define AEGIS_COUNT_(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, \
                     _18, _19, _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _30, _31, _32,  \
                     _33, _34, _35, _36, _37, _38, _39, _40, _41, _42, _43, _44, _45, _46, _47,  \
                     _48, count, ...)                                                            \
  count
#define AEGIS_GLUE(a, b) AEGIS_GLUE_(a, b)
#define AEGIS_GLUE_(a, b) a##b

#define AEGIS_CALL(macro, index, entry) AEGIS_CALL_(macro, index, AEGIS_UNWRAP entry)
#define AEGIS_CALL_(macro, ...) macro(__VA_ARGS__)
#define AEGIS_UNWRAP(...) __VA_ARGS__

#define AEGIS_EACH_FIELD(macro, ...) \
  AEGIS_GLUE(AEGIS_FIELDS_, AEGIS_COUNT(__VA_ARGS__))(macro, __VA_ARGS__)
#define AEGIS_FIELDS_1(m, f0) AEGIS_CALL(m, 0, f0)
#define AEGIS_FIELDS_2(m, f0, f1) AEGIS_FIELDS_1(m, f0) AEGIS_CALL(m, 1, f1)
#define AEGIS_FIELDS_3(m, f0, f1, f2) AEGIS_FIELDS_2(m, f0, f1) AEGIS_CALL(m, 2, f2)
#define AEGIS_FIELDS_4(m, f0, f1, f2, f3) AEGIS_FIELDS_3(m, f0, f1, f2) AEGIS_CALL(m, 3, f3)
#define AEGIS_FIELDS_5(m, f0, f1, f2, f3, f4) AEGIS_FIELDS_4(m, f0, f1, f2, f3) AEGIS_CALL(m, 4, f4)
#define AEGIS_FIELDS_6(m, f0, f1, f2, f3, f4, f5) \
  AEGIS_FIELDS_5(m, f0, f1, f2, f3, f4) AEGIS_CALL(m, 5, f5)
#define AEGIS_FIELDS_7(m, f0, f1, f2, f3, f4, f5, f6) \
  AEGIS_FIELDS_6(m, f0, f1, f2, f3, f4, f5) AEGIS_CALL(m, 6, f6)
#define AEGIS_FIELDS_8(m, f0, f1, f2, f3, f4, f5, f6, f7) \
  AEGIS_FIELDS_7(m, f0, f1, f2, f3, f4, f5, f6) AEGIS_CALL(m, 7, f7)
#define AEGIS_FIELDS_9(m, f0, f1, f2, f3, f4, f5, f6, f7, f8) \
  AEGIS_FIELDS_8(m, f0, f1, f2, f3, f4, f5, f6, f7) AEGIS_CALL(m, 8, f8)
#define AEGIS_FIELDS_10(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9) \
  AEGIS_FIELDS_9(m, f0, f1, f2, f3, f4, f5, f6, f7, f8) AEGIS_CALL(m, 9, f9)
#define AEGIS_FIELDS_11(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10) \
  AEGIS_FIELDS_10(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9) AEGIS_CALL(m, 10, f10)
#define AEGIS_FIELDS_12(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11) \
  AEGIS_FIELDS_11(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10) AEGIS_CALL(m, 11, f11)
#define AEGIS_FIELDS_13(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12) \
  AEGIS_FIELDS_12(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11) AEGIS_CALL(m, 12, f12)
#define AEGIS_FIELDS_14(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13) \
  AEGIS_FIELDS_13(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12) AEGIS_CALL(m, 13, f13)
#define AEGIS_FIELDS_15(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14) \
  AEGIS_FIELDS_14(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13)            \
  AEGIS_CALL(m, 14, f14)
#define AEGIS_FIELDS_16(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15) \
  AEGIS_FIELDS_15(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14)            \
  AEGIS_CALL(m, 15, f15)
#define AEGIS_FIELDS_17(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16)                                                                     \
  AEGIS_FIELDS_16(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)       \
  AEGIS_CALL(m, 16, f16)
#define AEGIS_FIELDS_18(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17)                                                                \
  AEGIS_FIELDS_17(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16)  \
  AEGIS_CALL(m, 17, f17)
#define AEGIS_FIELDS_19(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18)                                                           \
  AEGIS_FIELDS_18(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17)                                                                           \
  AEGIS_CALL(m, 18, f18)
#define AEGIS_FIELDS_20(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19)                                                      \
  AEGIS_FIELDS_19(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18)                                                                      \
  AEGIS_CALL(m, 19, f19)
#define AEGIS_FIELDS_21(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20)                                                 \
  AEGIS_FIELDS_20(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19)                                                                 \
  AEGIS_CALL(m, 20, f20)
#define AEGIS_FIELDS_22(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21)                                            \
  AEGIS_FIELDS_21(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20)                                                            \
  AEGIS_CALL(m, 21, f21)
#define AEGIS_FIELDS_23(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22)                                       \
  AEGIS_FIELDS_22(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21)                                                       \
  AEGIS_CALL(m, 22, f22)
#define AEGIS_FIELDS_24(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23)                                  \
  AEGIS_FIELDS_23(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22)                                                  \
  AEGIS_CALL(m, 23, f23)
#define AEGIS_FIELDS_25(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24)                             \
  AEGIS_FIELDS_24(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23)                                             \
  AEGIS_CALL(m, 24, f24)
#define AEGIS_FIELDS_26(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25)                        \
  AEGIS_FIELDS_25(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23, f24)                                        \
  AEGIS_CALL(m, 25, f25)
#define AEGIS_FIELDS_27(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26)                   \
  AEGIS_FIELDS_26(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25)                                   \
  AEGIS_CALL(m, 26, f26)
#define AEGIS_FIELDS_28(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27)              \
  AEGIS_FIELDS_27(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26)                              \
  AEGIS_CALL(m, 27, f27)
#define AEGIS_FIELDS_29(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28)         \
  AEGIS_FIELDS_28(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27)                         \
  AEGIS_CALL(m, 28, f28)
#define AEGIS_FIELDS_30(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29)    \
  AEGIS_FIELDS_29(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,  \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28)                    \
  AEGIS_CALL(m, 29, f29)
#define AEGIS_FIELDS_31(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30) \
  AEGIS_FIELDS_30(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29)                 \
  AEGIS_CALL(m, 30, f30)
#define AEGIS_FIELDS_32(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31)                                                                       \
  AEGIS_FIELDS_31(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30)            \
  AEGIS_CALL(m, 31, f31)
#define AEGIS_FIELDS_33(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32)                                                                  \
  AEGIS_FIELDS_32(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31)       \
  AEGIS_CALL(m, 32, f32)
#define AEGIS_FIELDS_34(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33)                                                             \
  AEGIS_FIELDS_33(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32)  \
  AEGIS_CALL(m, 33, f33)
#define AEGIS_FIELDS_35(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34)                                                        \
  AEGIS_FIELDS_34(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33)                                                                             \
  AEGIS_CALL(m, 34, f34)
#define AEGIS_FIELDS_36(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35)                                                   \
  AEGIS_FIELDS_35(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34)                                                                        \
  AEGIS_CALL(m, 35, f35)
#define AEGIS_FIELDS_37(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36)                                              \
  AEGIS_FIELDS_36(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35)                                                                   \
  AEGIS_CALL(m, 36, f36)
#define AEGIS_FIELDS_38(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37)                                         \
  AEGIS_FIELDS_37(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36)                                                              \
  AEGIS_CALL(m, 37, f37)
#define AEGIS_FIELDS_39(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38)                                    \
  AEGIS_FIELDS_38(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37)                                                         \
  AEGIS_CALL(m, 38, f38)
#define AEGIS_FIELDS_40(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39)                               \
  AEGIS_FIELDS_39(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38)                                                    \
  AEGIS_CALL(m, 39, f39)
#define AEGIS_FIELDS_41(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40)                          \
  AEGIS_FIELDS_40(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39)                                               \
  AEGIS_CALL(m, 40, f40)
#define AEGIS_FIELDS_42(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41)                     \
  AEGIS_FIELDS_41(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40)                                          \
  AEGIS_CALL(m, 41, f41)
#define AEGIS_FIELDS_43(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42)                \
  AEGIS_FIELDS_42(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41)                                     \
  AEGIS_CALL(m, 42, f42)
#define AEGIS_FIELDS_44(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43)           \
  AEGIS_FIELDS_43(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41, f42)                                \
  AEGIS_CALL(m, 43, f43)
#define AEGIS_FIELDS_45(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44)      \
  AEGIS_FIELDS_44(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43)                           \
  AEGIS_CALL(m, 44, f44)
#define AEGIS_FIELDS_46(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45) \
  AEGIS_FIELDS_45(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44)                      \
  AEGIS_CALL(m, 45, f45)
#define AEGIS_FIELDS_47(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45, \
                        f46)                                                                       \
  AEGIS_FIELDS_46(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45)                 \
  AEGIS_CALL(m, 46, f46)
#define AEGIS_FIELDS_48(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15,   \
                        f16, f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, \
                        f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45, \
                        f46, f47)                                                                  \
  AEGIS_FIELDS_47(m, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16,    \
                  f17, f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32,  \
                  f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45, f46)            \
  AEGIS_CALL(m, 47, f47)

#define AEGIS_EACH_ATTRIBUTE(macro, ...) \
  __VA_OPT__(AEGIS_GLUE(AEGIS_ATTRIBUTES_, AEGIS_COUNT(__VA_ARGS__))(macro, __VA_ARGS__))
#define AEGIS_ATTRIBUTES_1(m, a0) m(a0)
#define AEGIS_ATTRIBUTES_2(m, a0, a1) m(a0) m(a1)
#define AEGIS_ATTRIBUTES_3(m, a0, a1, a2) m(a0) m(a1) m(a2)
#define AEGIS_ATTRIBUTES_4(m, a0, a1, a2, a3) m(a0) m(a1) m(a2) m(a3)
#define AEGIS_ATTRIBUTES_5(m, a0, a1, a2, a3, a4) m(a0) m(a1) m(a2) m(a3) m(a4)
#define AEGIS_ATTRIBUTES_6(m, a0, a1, a2, a3, a4, a5) m(a0) m(a1) m(a2) m(a3) m(a4) m(a5)
#define AEGIS_ATTRIBUTES_7(m, a0, a1, a2, a3, a4, a5, a6) m(a0) m(a1) m(a2) m(a3) m(a4) m(a5) m(a6)
#define AEGIS_ATTRIBUTES_8(m, a0, a1, a2, a3, a4, a5, a6, a7) \
  m(a0) m(a1) m(a2) m(a3) m(a4) m(a5) m(a6) m(a7)
#define AEGIS_ATTRIBUTES_9(m, a0, a1, a2, a3, a4, a5, a6, a7, a8) \
  m(a0) m(a1) m(a2) m(a3) m(a4) m(a5) m(a6) m(a7) m(a8)
#define AEGIS_ATTRIBUTES_10(m, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9) \
  m(a0) m(a1) m(a2) m(a3) m(a4) m(a5) m(a6) m(a7) m(a8) m(a9)
