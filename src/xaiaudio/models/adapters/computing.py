"""Which of TensorFlow's operations a SavedModel may hold: those that only compute.

What is not listed is refused, so that what a new TensorFlow brings has to be entered here first.
Operations that read or write files, call Python, open connections, print, or run compiled code that
lies in the file are not in the list, and are not to be.
"""

from __future__ import annotations

_ARITHMETIC = """
    Abs Acos Acosh Add AddN AddV2 Angle ApproximateEqual Asin Asinh Atan Atan2 Atanh BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BesselI0 BesselI0e BesselI1 BesselI1e BiasAdd BiasAddV1 BitwiseAnd
    BitwiseOr BitwiseXor Bucketize Ceil ClipByValue Complex ComplexAbs Conj Cos Cosh Cross Cumprod
    Cumsum CumulativeLogsumexp Digamma Div DivNoNan Einsum Equal Erf Erfc Erfinv Exp Expm1 Floor
    FloorDiv FloorMod Greater GreaterEqual Imag Inv Invert IsFinite IsInf IsNan L2Loss LeftShift
    Less LessEqual Lgamma LinSpace Log Log1p LogicalAnd LogicalNot LogicalOr MatMul Max Maximum Mean
    Min Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual Pow Prod Real RealDiv Reciprocal
    RightShift Rint Round Rsqrt Sign Sin Sinh Sqrt Square SquaredDifference Sub Sum Tan Tanh
    TruncateDiv TruncateMod Xdivy Xlog1py Xlogy
"""
_SHAPES = """
    All Any ArgMax ArgMin BatchToSpace BatchToSpaceND Bitcast BroadcastArgs BroadcastTo Cast
    CheckNumerics Concat ConcatOffset ConcatV2 Const DepthToSpace Diag DiagPart DynamicPartition
    DynamicStitch EnsureShape Empty ExpandDims ExtractImagePatches Fill Gather GatherNd GatherV2
    Identity IdentityN InvertPermutation MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2
    MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3
    MirrorPad OneHot OnesLike Pack Pad PadV2 ParallelConcat ParallelDynamicStitch Placeholder
    PlaceholderWithDefault PreventGradient Range Rank Reshape Reverse ReverseSequence ReverseV2 Roll
    ScatterNd SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Select SelectV2 Shape ShapeN
    Size Slice Snapshot SpaceToBatch SpaceToBatchND SpaceToDepth Split SplitV Squeeze StopGradient
    StridedSlice TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub
    TensorScatterUpdate Tile TopK TopKV2 Transpose Unique UniqueV2 UniqueWithCounts Unpack
    UnravelIndex UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum Where
    ZerosLike
"""
_LAYERS = """
    AvgPool AvgPool3D Conv Conv2D Conv2DBackpropInput Conv2DBackpropInputV2 Conv3D
    Conv3DBackpropInputV2 DepthwiseConv2dNative DepthwiseConv2dNativeBackpropInput Dilation2D Elu
    FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 InTopK InTopKV2 LRN LeakyRelu LogSoftmax MaxPool MaxPool3D
    MaxPoolV2 MaxPoolWithArgmax QuantizeAndDequantize QuantizeAndDequantizeV2
    QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 Relu Relu6 ResizeArea ResizeBicubic
    ResizeBilinear ResizeNearestNeighbor Selu Sigmoid Softmax Softplus Softsign
"""
_SIGNALS = """
    AudioSpectrogram FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D Mfcc RFFT RFFT2D
    RFFT3D
"""
_DRAWS = """
    Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
    StatelessRandomGetAlg StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg
    StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformInt
    StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
    StatelessTruncatedNormalV2 TruncatedNormal
"""
# Loops, lists, the network's own weights, and calls of functions that are looked at, too.
_FLOW = """
    Assert AssignAddVariableOp AssignSubVariableOp AssignVariableOp Case ControlTrigger
    DisableCopyOnRead EmptyTensorList FakeParam If LoopCond NoOp PartitionedCall ReadVariableOp
    ResourceGather ResourceGatherNd StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile
    TensorListConcat TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather
    TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListReserve
    TensorListResize TensorListSetItem TensorListSplit TensorListStack VarHandleOp
    VarIsInitializedOp VariableShape While
"""

COMPUTING = frozenset((_ARITHMETIC + _SHAPES + _LAYERS + _SIGNALS + _DRAWS + _FLOW).split())
