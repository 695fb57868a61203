"""Chinese names in Latin letters: the bitmap font of the pictures has no others. Unknown characters stay."""

_SYLLABLES = (
    "东dong 沟gou 村cun 李li 家jia 庄zhuang 王wang 寨zhai 柳liu 树shu 屯tun 河he 西xi 石shi "
    "桥qiao 马ma 头tou 营ying 北bei 岭ling 杨yang 大da 槐huai 张zhang 湾wan 青qing 龙long 山shan "
    "小xiao 区qu 幸xing 福fu 园yuan 镇zhen 前qian 社she 学xue 府fu 组zu 口kou 文wen 化hua 广guang "
    "场chang 委wei 会hui 门men 十shi 字zi 路lu 南nan 卫wei 生sheng 室shi 街jie 水shui 库ku 坝ba "
    "粮liang 站zhan 停ting 车che 公gong 交jiao 变bian 电dian 集ji 市shi 球qiu 机ji 枪qiang "
    "全quan 景jing 入ru 出chu 进jin 楼lou 院yuan 道dao 岗gang 塔ta 灯deng 号hao 中zhong 心xin "
    "老lao 新xin 后hou 左zuo 右you 上shang 下xia 一yi 二er 三san 四si 五wu 六liu 七qi 八ba 九jiu "
    "点dian 位wei 摄she 像xiang 测ce 试shi 名ming 称cheng 校xiao 幼you 儿er 医yi 派pai 所suo "
    "铁tie 国guo 省sheng 县xian "
    "The text in Latin letters, as far as the characters "
    "are known."
    ""
)
_SPELT = {word[0]: word[1:] for word in _SYLLABLES.split()}


def latin(text: str) -> str:
    """The text in Latin letters, as far as the characters are known."""
    return "".join(_SPELT.get(character, character) for character in text).upper()
