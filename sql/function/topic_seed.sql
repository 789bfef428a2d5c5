-- SPDX-License-Identifier: MIT
-- The shipped words by which a complaint is about a topic, in the six languages. Replaced at each migration; a store's own rows stay.

delete from vouch.topic_term where store_id = '*';
insert into vouch.topic_term (store_id, locale, term, topic, match)
select distinct on (l.locale, t) '*', l.locale, t, l.topic, case when length(t) <= 3 or position(' ' in t) > 0 then 'word' else 'stem' end
from (values
  ('en', 'delivery', 'deliver|delivery|deliveries|shipping|shipped|shipment|courier|late|delay|delayed|never arrived|did not arrive|didn t arrive|not arrived|hasn t arrived|still waiting|tracking|parcel lost|lost in the post|took weeks|took ages|days late|postman|wrong address|missing item|has not come|not received|never received|arrived after'),
  ('en', 'packaging', 'packag|packing|wrapp|box was|the box|crushed|dented box|bubble wrap|carton|badly packed|poorly packed'),
  ('en', 'quality', 'broken|broke|breaks|defect|faulty|quality|cheaply made|flimsy|leak|rust|crack|scratch|torn|tore|fell apart|falls apart|stopped working|stops working|does not work|doesn t work|not working|didn t work|did not work|durab|wore out|worn out|peel|malfunction|poorly made|came off|died after|burnt out|smell|damaged|useless|battery'),
  ('en', 'description', 'description|described|not as described|picture|photo|misleading|advertised|not what i ordered|wrong item|wrong product|wrong colour|wrong color|different from|looks different|different colour|different color|not the same|not original|fake|counterfeit|specification|as shown|instead of|not genuine|does not match|doesn t match|isn t what'),
  ('en', 'size', 'size|sizing|too small|too big|too large|too tight|too loose|too short|too long|too wide|too narrow|does not fit|doesn t fit|didn t fit|did not fit|smaller than|bigger than|larger than|runs small|runs large|measurement|dimension'),
  ('en', 'price', 'price|pricey|expensive|overpriced|cost|costs|costly|not worth|waste of money|rip off|ripoff|cheaper elsewhere|hidden fee|charged twice|overcharg|value for money|too much money'),
  ('en', 'service', 'customer service|service|support|answer|reply|replied|respond|response|rude|unhelpful|refund|return|exchange|warranty|complain|staff|contact|phone call|nobody|ignored|email|e mail|no help|customer care|seller'),
  ('es', 'delivery', 'entrega|entregad|entregar|envio|enviar|enviad|mensajer|transportista|tarde|retras|demor|no llego|no ha llegado|no me llego|no lleg|nunca llego|sigo esperando|seguimiento|paquete perdido|correos|plazo|repartidor|no lo recibi|no he recibido|no recibi|falta|tardo'),
  ('es', 'packaging', 'embalaje|embalad|empaque|empaquetad|empaquetar|envoltorio|envuelt|caja|aplastad'),
  ('es', 'quality', 'rot|romp|defect|calidad|fragil|gote|oxid|grieta|agriet|araña|rayad|no funciona|dejo de funcionar|no sirve|averia|estropead|se estropeo|se cae|despeg|desgast|mal hecho|se quemo|huele|olor|dañad|material|bateria|duro poco|desti'),
  ('es', 'description', 'descripcion|descrito|no es como|foto|imagen|engañ|publicidad|anunciad|no es lo que|producto equivocado|equivocad|otro color|color distinto|diferente|distint|falso|falsific|no es original|especificacion|no coincide|no corresponde|en lugar de'),
  ('es', 'size', 'talla|tamaño|pequeñ|grande|demasiado ancho|estrech|apretad|corto|larg|no me queda|no encaja|no cabe|medida|dimension|queda grande|queda pequeño'),
  ('es', 'price', 'precio|caro|cara|carisim|no vale|coste|costo|dinero|mas barato|cobr|gastos|sobreprecio|estafa|timo|relacion calidad precio'),
  ('es', 'service', 'atencion|servicio|cliente|respond|respuesta|contest|reembols|devol|garantia|reclam|soporte|maleducad|groser|nadie|correo|telefono|llam|ayuda|cambio|vendedor'),
  ('pt', 'delivery', 'entreg|prazo|atras|correio|transport|nao recebi|nao chegou|nao veio|ainda nao recebi|ainda nao chegou|recebi apenas|recebi so|faltou|faltando|faltam|falta|rastre|encomenda perdida|demor|esperando|aguardando|chegou depois|extravi|frete|envio|enviad|nao foi entregue|cade|recebi somente|nada ainda|nunca chegou|estou a espera|chegar|parcial|incomplet'),
  ('pt', 'packaging', 'embalag|embalad|embrulh|caixa|amassad|pacote'),
  ('pt', 'quality', 'qualidade|quebr|defeit|fragil|nao funciona|parou de funcionar|rasg|risc|enferruj|vaz|solt|descol|rachad|ruim|pessim|danific|estragad|mal feito|mal acabad|acabamento|avari|queim|material|desbot|fraco|fraca|cheiro|furad|bateria|manchad|trincad|nao liga|nao presta|deu problema|com problema|nao carrega'),
  ('pt', 'description', 'descricao|descrit|anunci|foto|imagem|enganos|propaganda|nao e o que|produto errado|errad|diferente|outra cor|cor diferente|falso|falsific|nao e original|nao original|original|especific|nao corresponde|nao confere|trocad|veio outro|outro produto|outra marca|outro modelo|ao inves|em vez de|nao condiz|modelo|replica|pirata'),
  ('pt', 'size', 'tamanho|pequen|grande|apertad|larg|curt|comprid|nao serve|nao serviu|nao coube|medida|dimens|menor que|maior que|nao encaixa|estreit'),
  ('pt', 'price', 'preco|caro|cara|custo|nao vale|dinheiro|mais barato|cobr|valor|taxa|custa'),
  ('pt', 'service', 'atendimento|servico|respost|respond|reembols|devol|garantia|reclam|suporte|contato|contact|telefone|e mail|email|ninguem|ajuda|mal educad|descaso|troca|vendedor|loja|estorno|posicionamento|retorno|nota fiscal|cancel|solucao|desrespeito'),
  ('lv', 'delivery', 'piegad|piegād|sūtījum|sutijum|kurjer|kavē|kavej|nokav|neatnāk|neatnac|nav atnāc|nav saņemt|nesaņēm|joprojām gaid|gaidu|pakomāt|pakomat|omniva|pasts|izsūt|nosūt|termiņ|pazud|trūkst|nepienāc|nav pienāc|aizkavē|vēlu|velak|vēlāk'),
  ('lv', 'packaging', 'iepakoj|iesaiņ|kaste|kastīte|kastē|saspiest|iepakot|aploksn|saburzīt'),
  ('lv', 'quality', 'kvalitā|kvalita|salūz|saluz|saplīs|lūst|plīst|defekt|brāķ|bojāt|sabojāj|nestrādā|nedarbojas|pārstāja|tek|sūc|rūs|plais|skrāp|noplīs|nodil|atlīm|smird|smak|slikt material|nekvalitat|izjuk|saplais|salūzis|neturas|baterij|nolobī|caurs|neder lietošanai'),
  ('lv', 'description', 'aprakst|attēl|foto|bild|maldin|reklām|nav tas|neatbilst|cita krās|citā krās|citas krās|cits modelis|cits produkts|nepareiz|cita prece|atšķir|viltojum|viltot|nav oriģināl|citād|solīts|kā norādīts|nevis'),
  ('lv', 'size', 'izmēr|izmer|par maz|par liel|mazs|maza|mazāk|lielāk|par šaur|par plat|par īs|par gar|neder|nederēja|mazliet mazs|garum|platum|piegul|spiež|apjom'),
  ('lv', 'price', 'cena|cenu|cenas|dārg|darg|nav tā vērt|nav vērts|nauda|naudu|naudas|lētāk|maksā|pārmaks|izmaks|izšķērdē'),
  ('lv', 'service', 'apkalpo|serviss|servisa|atbild|neatbild|klientu|rupj|nelaipn|nepieklāj|atmaks|atgriez|garantij|sūdz|zvan|konsultant|palīdz|ignor|e past|epast|veikala darbin|pārdevēj|neviens|komunikācij|maiņ'),
  ('ar', 'delivery', 'توصيل|التوصيل|الشحن|شحن|شحنة|الشحنة|تأخر|تاخر|متأخر|تأخير|لم يصل|لم تصل|ما وصل|ماوصل|لم استلم|لم أستلم|ما استلمت|مندوب|المندوب|الطرد|طرد|ناقص|انتظار|انتظر|انتظرت|وصل بعد|وصلت بعد|موعد|البريد|الطلب ناقص|لم يصلني'),
  ('ar', 'packaging', 'تغليف|التغليف|الغلاف|العلبة|علبة|الكرتون|كرتون|الصندوق|مغلف|التعبئة|مضغوط'),
  ('ar', 'quality', 'جودة|الجودة|جودته|جودتها|مكسور|مكسورة|انكسر|انكسرت|كسر|عيب|معيب|خربان|خراب|خرب|تعطل|عطل|لا يعمل|لا تعمل|ما يشتغل|لم يعمل|توقف|يسرب|تسرب|صدأ|خدش|مخدوش|تمزق|ممزق|رديء|رديئة|رائحة|تالف|تلف|سيء الصنع|خامة|الخامة|خامته|البطارية|تقشر'),
  ('ar', 'description', 'الوصف|وصف|موصوف|مخالف|الصورة|الصور|صورة|مضلل|إعلان|الإعلان|ليس كما|غير مطابق|منتج خطأ|منتج مختلف|مختلف|مختلفة|لون آخر|لون مختلف|اللون|مقلد|تقليد|غير أصلي|ليس أصلي|مزيف|مزور|المواصفات|بدل|غير الذي طلبت|خطأ في المنتج'),
  ('ar', 'size', 'مقاس|المقاس|مقاسه|المقاسات|صغير|صغيرة|كبير|كبيرة|ضيق|ضيقة|واسع|واسعة|قصير|قصيرة|طويل|طويلة|لا يناسب|القياس|قياس|الحجم|حجم|حجمه|أصغر|أكبر'),
  ('ar', 'price', 'سعر|السعر|سعره|الأسعار|غالي|غالية|مكلف|ثمن|الثمن|لا يستحق|لا تستحق|أرخص|تكلفة|رسوم|الفلوس|فلوس|المال|أموال|مبالغ|نصب'),
  ('ar', 'service', 'خدمة|الخدمة|خدمة العملاء|الدعم|دعم|رد|يرد|يردون|يردوا|لم يرد|لا يردون|استرجاع|الاسترجاع|إرجاع|ارجاع|استرداد|ضمان|الضمان|شكوى|اشتكيت|تواصل|تواصلت|التعامل|البائع|موظف|الموظف|تجاهل|اتصل|اتصلت|استبدال|وقح'),
  ('fa', 'delivery', 'ارسال|تحویل|دیر|تاخیر|تأخیر|نرسید|نرسیده|به دستم نرسید|به دستم نرسیده|پست|پیک|مرسوله|بسته گم|منتظر|ناقص|کم بود|زمان ارسال|هنوز نیامده|هنوز نرسیده|دریافت نکردم|حمل'),
  ('fa', 'packaging', 'بسته بندی|بسته‌بندی|بستهبندی|جعبه|کارتن|پلمب|له شده|باز شده بود|پلمپ|پاکت'),
  ('fa', 'quality', 'کیفیت|بی کیفیت|بی‌کیفیت|شکست|شکسته|خراب|خرابه|معیوب|ایراد|کار نمی|کار نمیکن|کار نمی کن|کار نمی‌کن|از کار افتاد|نشت|چکه|زنگ زد|ترک|خط افتاد|خش|پاره|نازک|بو|بوی|داغ می|شل|ضعیف|جنس|جنسش|آسیب|باتری|دوام|ور اومد|کنده|خرابی|سوخت'),
  ('fa', 'description', 'توضیحات|مشخصات|عکس|تصویر|مغایرت|مغایر|اشتباه|اشتباهی|رنگ دیگر|رنگش|رنگ دیگه|فرق|متفاوت|تقلبی|فیک|اصل نیست|اورجینال نیست|غیر اصل|همان نبود|شبیه عکس|تبلیغ|گول|چیز دیگری|یه چیز دیگه|مطابقت'),
  ('fa', 'size', 'سایز|سایزش|اندازه|کوچک|کوچیک|بزرگ|تنگ|گشاد|کوتاه|بلند|قالب تن|ابعاد|جا نمی|فیت|پهن|باریک|کوچکتر|بزرگتر'),
  ('fa', 'price', 'قیمت|قیمتش|گران|گرون|هزینه|پول|ارزش خرید|ارزش نداره|ارزش ندارد|نمی ارزه|نمی‌ارزه|نمیارزه|نمی‌ارزد|ارزان|ارزون|مبلغ|کلاهبردار|تومان'),
  ('fa', 'service', 'پشتیبانی|پاسخ|پاسخگو|جواب|خدمات|برخورد|بی ادب|بی‌ادب|مرجوع|مرجوعی|بازگشت|پس گرفت|تعویض|گارانتی|ضمانت|شکایت|تماس|فروشنده|کسی جواب|فروشگاه|پیگیری|زنگ زدم|بی توجه|استرداد|عودت')) as l (locale, topic, terms)
cross join lateral unnest(string_to_array(l.terms, '|')) as t
order by l.locale, t, l.topic;
