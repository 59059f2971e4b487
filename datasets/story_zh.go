package datasets

import "strings"

// chinese is the tongue of qachn. A name has three characters.
var chinese = tongue{
	fullName: "%[2]s%[1]s",
	women: strings.Fields(`文秀 玉兰 秀英 桂芳 淑贞 雪梅 月娥 春燕 惠兰 婉清 素心 凤仪 佩瑶 若兰 碧云 巧云 静姝 彩霞 锦屏 翠竹 采薇 念慈 秋菊 映雪
含烟 晓棠 慧君 丽华 宛如 兰芝 莲香 紫鹃 冬青 红玉 书瑶 思月 婉儿 雨荷 清漪 素娟 明珠 香君 美玲 文鸳 银屏 巧珍 玉茹 云裳`),
	men: strings.Fields(`建国 文斌 志远 家栋 德厚 永年 国梁 世昌 明义 振华 松柏 景行 子谦 怀瑾 承宗 鸿儒 光宗 少卿 云鹤 天佑 伯庸 仲达 叔同 季常
长庚 逢春 守仁 敬之 学礼 思齐 克勤 为民 汉卿 兆祥 启明 清源 瑞麟 玉堂 立诚 树人 万里 修文 树森 连城 宝山 金水 石生 福海`),
	families: strings.Fields(`王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈
曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟
龙 万 段 雷 钱 汤 尹 黎 易 常 武 乔 贺 赖 龚 文`),
	innFirst: strings.Fields(`悦来 福来 同福 高升 平安 迎宾 望江 临江 听雨 望月 醉仙 聚贤 云来 归燕 清风 明月 松鹤 龙门 凤来 百福 三元 四海 五福 八方
长亭 柳岸 梅园 竹溪 桃源 荷塘 枫桥 兰亭 金桂 银杏 紫云 青云 白鹭 黄鹤 鸿雁 春晖 秋水 古渡 南浦 北辰 东篱 西窗`),
	innSecond: strings.Fields("客栈 客店 旅店 酒楼 茶馆 饭庄 会馆 驿馆 客寓 行馆"),
	firstYear: 1871, lastYear: 1948,
	valuesOf: [attributes][]value{
		factJob: counted(`一名木匠 一名铁匠 一名裁缝 一名郎中 一名船夫 一名石匠 一名画师 一名厨子 一名猎户 一名镖师 一名书吏 一名银匠 一名陶工 一名渔夫
一名更夫 一名车夫 一名琴师 一名药商 一名盐商 一名茶商 一名布商 一名米商 一名篾匠 一名染匠 一名瓦匠 一名乐师 一名花匠 一名织工 一名账房 一名塾师 一名驿卒 一名戏子`),
		factBirth: counted(chineseTowns),
		factHeirloom: counted(`一支银簪 一把古琴 一方砚台 一幅山水画 一只玉镯 一枚铜印 一座自鸣钟 一把折扇 一面铜镜 一件狐裘 一尊瓷佛 一串佛珠 一本族谱 一柄长剑
一只青花瓶 一把紫砂壶 一支洞箫 一副棋盘 一块怀表 一张绣屏 一盏琉璃灯 一只檀木匣 一枚翡翠戒 一套茶具 一对金耳环 一架织机 一部古医书 一根龙头杖`),
		factHiding: counted(`枯井里 房梁上 灶台下 米缸底 佛像背后 书架后面 老槐树下 床板夹层 墙缝里 柴堆里 花盆底下 阁楼里 琴匣里 石磨下 酒坛里 马鞍里 鸽笼里
棉袄夹层 地窖里 神龛里 屋瓦下 照壁后面 桥洞里 药柜里 祠堂匾后 门槛下`),
		factMove: counted(chineseTowns),
	},
	say: [factKinds][]string{
		factJob:      {"{A}是{aV}", "{A}做了大半辈子{V}", "论手艺，{A}是{aV}", "{A}的职业是{V}"},
		factBirth:    {"{A}出生在{V}", "{A}的出生地是{V}", "{V}是{A}的出生地", "{A}是在{V}出生的"},
		factHeirloom: {"{A}继承了{aV}", "分家那年，{A}继承了{aV}", "{A}从祖母手里继承了{aV}", "{A}继承下来的是{aV}"},
		factHiding:   {"{A}把家书藏在{V}", "{A}的家书一直藏在{V}", "兵荒马乱的年月，{A}把家书藏在{V}", "谁也没有想到，{A}把家书藏在{V}"},
		factMove:     {"{A}在{Y}年搬到了{V}", "{Y}年，{A}搬到了{V}", "{Y}年{season}，{A}举家迁到了{V}", "到了{Y}年，{A}搬到了{V}"},
		factMeeting:  {"{A}在{V}遇见了{B}", "{Y}年{season}，{A}在{V}遇见了{B}", "{A}和{B}是在{V}相遇的", "就是在{V}，{A}遇见了{B}"},
		factOwner:    {"{A}是{V}的老板", "{V}的老板是{A}", "{A}开着{V}", "当时开{V}的人是{A}"},
		factTeacher:  {"{A}的启蒙老师是{B}", "{B}是{A}的启蒙老师", "{A}识字是{B}教的", "{A}跟着{B}学会了认字"},
	},
	rumours: [][2]string{{"有人说", "，其实并无此事。"}, {"镇上曾有传言，说", "，后来证明是讹传。"}, {"坊间传说", "，这完全是谣言。"}, {"有一封信里写着", "，那是写信的人弄错了。"}},
	stop:    "。",
	asks: [factKinds]string{
		factJob: "%s的职业是什么？", factBirth: "%s出生在哪里？", factHeirloom: "%s继承了什么？", factHiding: "%s把家书藏在哪里？",
		factMove: "%s最先搬到了哪里？", factMeeting: "%s和%s是在哪里相遇的？", factOwner: "%s的老板是谁？", factTeacher: "%s的启蒙老师是谁？",
	},
	askLastMove: "%s最后搬到了哪里？",
	phrases:     [factKinds]string{factMeeting: "%s和%s相遇的地方", factOwner: "%s的老板", factTeacher: "%s的启蒙老师"},
	theInn:      "%s",
	filler: []string{
		"{A}望着窗外，一句话也没有说。", "{hour}，{land}起了{wind}。", "{A}往炉子里添了一把柴，听着{sound}。", "“{remark}。”{A}说。",
		"那一夜，{A}睡得很浅。", "{land}{look}。", "“{asking}？”{A}头也没有抬。", "{hour}，路上{road}。", "远处传来{sound}。",
		"{A}走到{land}，又慢慢走了回来。", "蜡烛快烧完了，大家又说起了{topic}。", "那是{weather}的一天，{land}{look}。", "{A}摇了摇头，倒了{drink}。",
		"整个{season}，人们谈的都是{topic}。", "桌上放着{drink}，谁也没有动。", "听人说起{topic}，{A}笑出了眼泪。", "{sound}一直响到{hour}。",
		"{A}忘了带伞，也懒得回去取。", "车子来晚了，因为路上{road}。", "“这样{weather}的日子，我从前也见过。”{A}说。", "{hour}，狗叫了两声，又安静下来。",
		"{land}的雨从{hour}一直下到点灯的时候。", "{A}把铜钱数了两遍，收进了袖子里。", "茶凉了，{A}还在想着{topic}。",
		"{A}陪{B}下{game}，一直下到{hour}。", "“{remark}。”{A}说，{B}点了点头。", "{A}写了三页{topic}，又都烧掉了。", "{B}觉得{topic}没什么好谈的，{A}也不争辩。",
		"{A}{state}地走进来，要了{drink}。", "走到{land}，{A}停下来听{sound}。", "“{asking}？”{A}问，{B}没有回答。", "关于{topic}，{A}只听{B}提过一两句。",
		"{A}{state}地坐下，{B}去端{drink}。", "隔着{land}，{A}看见了一点灯光。", "{wind}停了，{sound}一直传到{land}。", "{A}梦见了{land}，醒来时正是{hour}。",
	},
	titles: []string{"{topic}", "{sound}", "{season}", "{land}", "{wind}", "{weather}的日子"},
	pools: map[string][]string{
		"game":    {"象棋", "围棋", "五子棋"},
		"state":   {"气喘吁吁", "浑身湿透", "兴冲冲", "慢吞吞", "风尘仆仆", "睡眼惺忪", "若有所思"},
		"season":  {"春天", "夏天", "秋天", "冬天"},
		"hour":    {"天亮时", "晌午", "黄昏", "掌灯时分", "半夜", "鸡叫头遍"},
		"land":    {"河边", "渡口", "后山", "竹林", "城门外", "晒谷场", "荷塘", "石桥", "巷口", "田埂上"},
		"wind":    {"北风", "南风", "大雾", "凉风", "细雨"},
		"sound":   {"钟声", "更鼓声", "雨打芭蕉的声音", "马蹄声", "捣衣声", "笛声", "纺车声"},
		"look":    {"静悄悄的", "落满了霜", "空无一人", "开满了花", "湿漉漉的", "亮着几点灯火"},
		"road":    {"满是泥泞", "尘土飞扬", "空荡荡的", "结了薄冰", "挤满了车马"},
		"weather": {"晴朗", "阴冷", "闷热", "大风", "雾蒙蒙"},
		"topic":   {"收成", "米价", "丢失的渡船", "迎亲的队伍", "新修的铁路", "去年的大水", "庙会", "陈年旧账"},
		"drink":   {"一杯茶", "一碗米酒", "一壶黄酒", "一碗热汤"},
		"remark":  {"早该写封信来", "还是等等他们吧", "那座桥怕是撑不了多久", "这样的天气，回家的路可长了", "总有人忘了关门", "过几天你就明白了", "日子久了就习惯了"},
		"asking":  {"他们都回来了吗", "你听见钟声了吗", "还要再等下去吗", "是谁忘了吹灯", "这与你有什么相干", "外面还在下吗"},
	},
	chapter: "第%d章　", indent: "\n　　",
}

const chineseTowns = `青溪镇 白沙镇 临河县 云安县 柳林镇 石门县 梅岭镇 双塔镇 黑水镇 松江府 永宁县 长乐镇 丹阳镇 龙泉镇 宝应县 凤鸣镇 西坪镇 东关镇 南塘镇
北固镇 安平县 太和县 清河县 桃花镇 枫泾镇 乌石镇 金沙镇 银川镇 玉山县 碧湖镇 红岩镇 古田县 新桥镇 望川县 平湖县 竹山县`

// counted are the values of list. Of one that begins with "一" the first two characters count it and are not part of it.
func counted(list string) (out []value) {
	for _, s := range strings.Fields(list) {
		v := value{"", s}
		if strings.HasPrefix(s, "一") {
			n := len("一名")
			v = value{s[:n], s[n:]}
		}
		out = append(out, v)
	}
	return out
}
