"""Symbols that stand for a word: by what they show (their Unicode names), or by how that sounds."""

from __future__ import annotations

# Each line: symbols, then the words that people read in them, the likeliest first.
_TABLE = """
+＋➕✚✙ 加 家
×✖❌ 叉 错 乘
÷➗ 除
=＝🟰 等
％ 百分
￥¥$＄💲 元 钱 刀
💰💵💴💶💷🪙💸🤑 钱 款 账 金 财 币 现 现金
🧧 红包 包 红
💳 卡 银行卡
🏦 银行
💎 钻 宝
❤♥💖💗💓💕💘💝💟🧡💛💚💙💜🖤🤍🤎🫀💞❣ 心 爱 信
💔 碎 心
⭐🌟✨🌠 星 行
☀🌞🔆 日 阳 太阳
🌙🌛🌜🌕🌑 月
☁ 云
☔🌧 雨
⛄❄🌨 雪 冰
🔥 火 货
💧💦🌊🚰 水
⚡ 电 点
🌍🌎🌏 球 地球
🌬🍃💨 风 疯
📱☎📞📲🤙 电话 手机 机 电 话 打
💻🖥 电脑
🐧 企鹅 鹅 扣扣
📷📸 照 相
📹🎥 视频
📺 电视
📮✉📧📩📨💌 信 邮 邮箱
✍📝✏🖊 写 签 笔
📄📃📑🧾 单 纸
📚📖📕📗📘📙 书
📦 包 箱 货 快递
🎒👜👛💼👝 包
🛍🛒 购 买 购物
🎁 礼 送 礼物
🏠🏡🏘🏚 家 房 屋 加
🏢🏬 楼 公司
🏫🎓 学 学校
🏥 医 医院
🏪 店 商店
🚗🚙🚘 车
🚄🚅🚆🚇🚂 车 火车
✈🛫🛩🛬 飞 机 飞机
🕊🦅🪽 飞 鸟
🐦🐤 鸟
🚢⛵🛳 船 传
🚪 门
🔑🗝 钥 匙
🔒🔐 锁 密
🔪🗡 刀 到
🔫 枪 抢
💣 炸 弹 雷
💊 药 要
💉 针 真
🧪 试
🍵🫖 茶 查
☕ 咖啡 杯
🥛🍼🐄 奶
🍺🍻🥂🍷🍾🍶🥃 酒 久
🍚🍙🥣 饭 返
🍜 面 粉
🥟🥠 饺
🥩🍖🍗 肉
🐟🐠🎣 鱼 钓
🍎🍏 果 苹果 平
🍐 梨 利
🍑 桃 逃
🍊🍋 橙 桔
🍇 葡萄
🍉 瓜 西瓜
🍌 蕉 交
🍓 莓 霉
🌽 米
🌾🍘 米 稻
🥬🥗 菜 财
🥕 萝卜
🥚🍳🐣 蛋
🍬🍭 糖
🍰🎂 糕 蛋糕
🐔🐓 鸡 机
🦆 鸭 压
🐷🐖🐽 猪 主
🐶🐕🐩 狗 够
🐱🐈 猫
🐭🐁🐀 鼠 老鼠
🐴🐎🏇 马 码
🐮🐂🐃 牛
🐑🐏🐐 羊 阳
🐯🐅 虎 户
🐰🐇 兔
🐲🐉 龙
🐍 蛇
🐵🐒🙈 猴 后
🐻 熊
🐘 象
🐢 龟 鳖 王八
🦐 虾 下
🦀 蟹
🐝 蜂
🐛🪱 虫
🐺 狼
🐋🐳 鲸
🌉 桥
🐟 鱼
🦊 狐
🌳🌲 树
🌹🌷🌺🌸💐🌼🥀 花 玫瑰 华
🌱🌿 草 苗 艹
🪵 木
⛰🏔🗻 山 删
🪨 石
🏃 跑
🚶 走
🚫⛔🈲 禁 不 禁止
🙅 不 拒
⚠ 警 注意
❓❔ 问 什么
💯 100 百 一百 满分
🆓 免费 免
🆕 新
🆗👌 好 行 没问题
🆘 救
🈵 满
🈳 空
🈶 有
🈚 无 没
🈯 指
🉐 得
🈹 割 折
㊙ 秘 密
㊗ 祝
🀄 中
🅿 停
Ⓜ 地铁
➡→👉⏩🔜▶⇒🔄↔🔁 转 右 去 到
⬅←👈 左 返
⬆↑👆🔝☝🔼📈 上 顶 涨
⬇↓👇🔽📉 下 跌
↩⤴🔙 返 回
⭕🔴⚪⚫ 圈 红 圆
🟥♦ 红
⬛ 黑
⬜ 白
🟡🟨 黄
🟢🟩 绿
🔵🟦 蓝
🏆🥇 冠军 第一 奖
🥈 第二
🥉 第三
🎖🏅 奖
👑 王 皇 冠
👸 公主 后
🤴 王子
👨🧔👦🙋‍♂ 男
👩👧👱‍♀💃 女
👶 婴 宝 婴儿
👴 爷 老
👵 奶 老
👤👥🧑🙍🚹 人
👪 家 家人
👫 对象
👻☠💀👽 鬼 死
👿😈 魔 鬼
🤡 丑 小丑
💩 屎 粪 史
👎 差 踩
👍 赞 顶
🤝 合作 手 握
🙏 求 谢
👏 掌 鼓掌
✋🖐🤚🖖👋✌ 手
👊✊ 拳
💪 力 强
👀👁 看 眼
👂 耳
👃 鼻
👄👅💋 嘴 吻 口
🦷 牙
🧠 脑
🦵🦶🐾 腿 脚
💇 发 理发
🩸 血
🦴 骨
🛏 床
🪑 椅
🚽 厕
🚿🛁 澡
💡 灯 亮
🕯 烛
🔔 铃 零
📢📣📯 广告 喊 通知
🎵🎶 音 歌
🎤 唱
🎮 游戏
🎲 赌
🎰 赌
⚽ 球 足球
🏀 球
♻ 收 回收
⏰⌚🕐⏱ 时 钟 表
⏳⌛ 时
📅📆 日 天
📍📌 点 地点 定位
🗺 图
🔍🔎 查 搜 找
🔗⛓ 链 链接
🔧🔨🛠 修 工
⚙ 机 器
⚖ 法 平
🎯 准 目标 的
🎫🎟 票
🧮 算
📊 表
✅☑✔ 对 勾 是
✂ 剪 减
🗑 垃圾 删
🧹 扫
🧱 砖 转
🚀 快 火箭
🐌 慢
🐏 羊
⛽ 油 加油
🛢 油
🧂 盐
🧊 冰
⛩🛕 寺 私
🪦 墓 死
⚰ 棺 死
🤐 闭嘴 秘密
😂😄😁😆🤣 笑
😭😢 哭
😡😠🤬 骂 气
😴💤🛌 睡
🤮🤢 吐 恶心
🤤 馋
😍 爱
🤓 傻
🤪🙃 傻 疯
🅰 a
🅱 b 逼
🅾 o
"""


def _meanings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _TABLE.strip().splitlines():
        symbols, *words = line.split(" ")
        for symbol in symbols:
            if symbol not in "\u200d♂♀\ufe0f":
                found[symbol] = tuple(dict.fromkeys((*found.get(symbol, ()), *words)))
    return found


MEANINGS = _meanings()
# Latin letters read as a syllable in chat (V信); other letters stand for words only as initials.
LETTER_SOUNDS = {"v": "wei"}
LETTER_CHARS = frozenset("微威薇徽")
